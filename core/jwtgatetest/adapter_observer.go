package jwtgatetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runObserver tests that each request has one outcome, with the context of the outer
// middleware, however many guards and endpoints it passes.
func runObserver(t *testing.T, serve Adapter) {
	var (
		mu  sync.Mutex
		got []string
	)
	observe := func(ctx context.Context, o jwtgate.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		subject := "nobody"
		if o.Identity != nil {
			subject = o.Identity.Subject()
		}
		outer, _ := ctx.Value(outerKey{}).(string)
		got = append(got, strings.TrimSpace(fmt.Sprint(o.Endpoint, " ", subject, " ", o.Code, " in ", outer)))
	}
	auth := siteAuth(t, func(c *jwtgate.Config) { c.Observers = []jwtgate.Observer{{Outcome: observe}} })
	admin := Guard{auth, []jwtgate.Rule{jwtgate.Role("admin")}}
	optional := Guard{auth, []jwtgate.Rule{jwtgate.Optional()}}
	var s stage
	site := Site{
		Context: func(ctx context.Context) context.Context { return context.WithValue(ctx, outerKey{}, "outer") },
		Routes: []Route{
			{Method: "GET", Path: "/one", Guards: []Guard{{Auth: auth}}, Handler: s.who},
			{Method: "GET", Path: "/two", Guards: []Guard{{Auth: auth}, {Auth: auth}}, Handler: s.who},
			{Method: "GET", Path: "/role", Guards: []Guard{{Auth: auth}, admin}, Handler: s.who},
			{Method: "GET", Path: "/public", Guards: []Guard{optional, optional}, Handler: s.who},
			{Method: "GET", Path: "/private", Guards: []Guard{optional, {Auth: auth}}, Handler: s.who},
			{Method: "GET", Path: "/endpoint", Endpoint: auth.ResourceMetadata},
			{Method: "GET", Path: "/guarded-endpoint", Guards: []Guard{{Auth: auth}}, Endpoint: auth.ResourceMetadata},
		},
	}
	s.addr = serve(t, site)
	bearer := "Authorization: Bearer " + Token(t, auth, "alice")
	for _, row := range []struct {
		name string
		send string
		want string
	}{
		{"let through", get("/one", bearer), "alice  in outer"},
		{"refused", get("/one"), "nobody token_missing in outer"},
		{"two guards", get("/two", bearer), "alice  in outer"},
		{"two guards, the outer one refuses", get("/two"), "nobody token_missing in outer"},
		{"two guards, the inner one refuses", get("/role", bearer), "alice insufficient_scope in outer"},
		{"two guards, nobody", get("/public"), "nobody  in outer"},
		{"two guards, the inner one refuses nobody", get("/private"), "nobody token_missing in outer"},
		{"endpoint", get("/endpoint"), "resource_metadata nobody not_found in outer"},
		{"endpoint behind a guard", get("/guarded-endpoint", bearer), "resource_metadata alice not_found in outer"},
		{"endpoint behind a guard that refuses", get("/guarded-endpoint"), "nobody token_missing in outer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_ = exchange(t, s.addr, row.send)
			// The server has closed the connection, so its handler has returned.
			mu.Lock()
			defer mu.Unlock()
			if all := strings.Join(got, ", "); all != row.want {
				t.Errorf("got outcomes %q; want %q", all, row.want)
			}
			got = nil
		})
	}
}
