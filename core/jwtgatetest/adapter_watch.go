package jwtgatetest

import (
	"context"
	"errors"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// runWatch tests handlers that run until the identity of their request has ended, on
// another process that shares the store.
func runWatch(t *testing.T, serve Adapter) {
	store := session.NewMemory(0, NewClock(siteTime).Now)
	shared := func(c *jwtgate.Config) { c.Sessions.Store = store }
	auth, elsewhere := siteAuth(t, withSessions, shared), siteAuth(t, withSessions, shared)
	var s stage
	watching := make(chan bool, 1)
	watch := func(v View) jwtgate.Response {
		s.ran.Add(1)
		ctx, cancel := context.WithTimeout(v.Context, 5*time.Second)
		defer cancel()
		ctx, end := auth.Watch(ctx, v.Identity)
		defer end()
		watching <- true
		<-ctx.Done()
		if refusal := (*jwtgate.Refusal)(nil); errors.As(context.Cause(ctx), &refusal) {
			return text(string(refusal.Code))
		}
		return text(context.Cause(ctx).Error())
	}
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/stream", Guards: guards(auth), Handler: watch},
		{Method: "GET", Path: "/public", Guards: guards(auth, jwtgate.Optional()), Handler: watch},
	}})

	first, second, third := signIn(t, auth, "alice"), signIn(t, auth, "alice"), signIn(t, auth, "bob")
	loose := Token(t, auth, "carol")
	none := func(*testing.T) error { return nil }
	for _, row := range []struct {
		name, send string
		end        func(*testing.T) error
		want       answer
	}{
		{"session ended", get("/stream", cookies(first)), func(t *testing.T) error { return elsewhere.EndSession(t.Context(), first.SessionID) },
			passed("token_revoked").with("Cache-Control", "private").with("Vary", "Cookie")},
		{"session ended, Bearer", get("/stream", "Authorization: Bearer "+second.Access.Token), func(t *testing.T) error { return elsewhere.EndSession(t.Context(), second.SessionID) }, passed("token_revoked")},
		{"all sessions ended", get("/stream", "Authorization: Bearer "+third.Access.Token), func(t *testing.T) error { return elsewhere.EndSessions(t.Context(), "bob") }, passed("token_revoked")},
		{"subject revoked", get("/stream", "Authorization: Bearer "+loose), func(t *testing.T) error { return elsewhere.EndSessions(t.Context(), "carol") }, passed("token_revoked")},
		{"nobody", get("/public"), none, passed("token_missing").with("Vary", "Authorization, Cookie")},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := s.ran.Load()
			ended := make(chan error, 1)
			go func() {
				select {
				case <-watching:
					ended <- row.end(t)
				case <-t.Context().Done():
				}
			}()
			begun := time.Now()
			raw := exchange(t, s.addr, row.send)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("the handler ended after %v, want at most a second", took)
			}
			if s.ran.Load() > before {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			row.want.check(t, row.send, raw, s.ran.Load()-before)
		})
	}
}
