package jwtgate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestEvents checks that each change of a session causes one event, with the subject, the
// session and the user agent.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	codec := s.codec()
	altered := func(refresh string, change func(*refreshtoken.Token)) string {
		token, err := codec.Decode(refresh)
		if err != nil {
			t.Fatal(err)
		}
		change(&token)
		return codec.Encode(token)
	}
	with := func(refresh string) jwtgate.Request {
		req := withField(formRequest("refresh_token", refresh), "User-Agent", "looking glass")
		return req
	}
	login := withField(formRequest("username", "alice", "password", "wonderland"), "User-Agent", "looking glass")
	tokens := s.send(s.tokenEndpoint(), login)
	sid := sidOf(t, tokens.Access)
	said := func(kind jwtgate.EventKind) string { return string(kind) + " alice " + sid + " by looking glass" }
	if got := s.events(); got != said(jwtgate.EventSignedIn) {
		t.Errorf("login: got events %q; want %q", got, said(jwtgate.EventSignedIn))
	}
	var last reply
	for _, row := range []struct {
		name string
		do   func() reply
		want string // the event
	}{
		{"wrong password", func() reply {
			return s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "guess"))
		}, "login_failed as alice"},
		{"no refresh token", func() reply { return s.send(s.Refresh, formRequest()) }, ""},
		{"garbage", func() reply { return s.send(s.Refresh, with("garbage")) }, ""},
		{"rotated", func() reply { last = s.send(s.Refresh, with(tokens.Refresh)); return last }, said(jwtgate.EventRotated)},
		{"the replaced one again", func() reply { return s.send(s.Refresh, with(tokens.Refresh)) }, said(jwtgate.EventRepeated)},
		{"the current one again", func() reply { return s.send(s.Refresh, with(last.Refresh)) }, said(jwtgate.EventRepeated)},
		{"another nonce", func() reply {
			return s.send(s.Refresh, with(altered(last.Refresh, func(t *refreshtoken.Token) { t.Nonce = refreshtoken.NewNonce() })))
		}, said(jwtgate.EventForged)},
		{"from ahead", func() reply {
			last = s.send(s.Refresh, with(altered(last.Refresh, func(t *refreshtoken.Token) { t.Generation++ })))
			return last
		}, said(jwtgate.EventHealed)},
		{"subject cannot be loaded", func() reply {
			s.setSubject(failingSubject)
			defer s.setSubject(nil)
			return s.send(s.Refresh, with(last.Refresh))
		}, said(jwtgate.EventStoreDown) + ": " + errBroken.Error()},
		{"store cannot be reached", func() reply {
			s.store.breaks("Find", false)
			defer s.store.mend()
			return s.send(s.Refresh, with(last.Refresh))
		}, "store_down " + sid + " by looking glass: " + errBroken.Error()},
		{"replayed", func() reply { return s.send(s.Refresh, with(tokens.Refresh)) }, said(jwtgate.EventReused)},
		{"replayed again", func() reply { return s.send(s.Refresh, with(tokens.Refresh)) }, ""},
		{"logout of what is over", func() reply { return s.send(s.Logout, with(last.Refresh)) }, ""},
		{"logout of nothing", func() reply { return s.send(s.Logout, formRequest()) }, ""},
	} {
		res := row.do()
		if got := s.events(); got != row.want {
			t.Errorf("%s, %s: got events %q; want %q", row.name, res.text, got, row.want)
		}
	}
	for kind, end := range map[jwtgate.EventKind]func(tokens reply){
		jwtgate.EventEnded:    func(tokens reply) { s.send(s.Logout, with(tokens.Refresh)) },
		jwtgate.EventEndedAll: func(tokens reply) { s.send(s.LogoutAll, withToken(with(""), tokens.Access)) },
		jwtgate.EventDisabled: func(tokens reply) {
			s.setSubject(unknownSubject)
			defer s.setSubject(nil)
			s.send(s.Refresh, with(tokens.Refresh))
		},
	} {
		tokens := s.login("alice")
		s.events()
		end(tokens)
		want := string(kind) + " alice"
		if kind != jwtgate.EventEndedAll {
			want += " " + sidOf(t, tokens.Access)
		}
		if got := s.events(); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got events %q; want %q", kind, got, want)
		}
	}
}

// TestEventsByUserAgent checks that the events of the end of a session name the user agent.
func TestEventsByUserAgent(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for kind, end := range map[jwtgate.EventKind]func(tokens reply) (jwtgate.Endpoint, jwtgate.Request){
		jwtgate.EventEnded: func(tokens reply) (jwtgate.Endpoint, jwtgate.Request) {
			return s.Logout, formRequest("refresh_token", tokens.Refresh)
		},
		jwtgate.EventEndedAll: func(tokens reply) (jwtgate.Endpoint, jwtgate.Request) {
			return s.LogoutAll, withToken(formRequest(), tokens.Access)
		},
		jwtgate.EventDisabled: func(tokens reply) (jwtgate.Endpoint, jwtgate.Request) {
			s.setSubject(unknownSubject)
			return s.Refresh, formRequest("refresh_token", tokens.Refresh)
		},
	} {
		s.setSubject(nil)
		endpoint, req := end(s.login("alice"))
		req = withField(req, "User-Agent", "looking glass")
		s.events()
		s.send(endpoint, req)
		if got := s.events(); !strings.HasSuffix(got, " by looking glass") {
			t.Errorf("%s: got events %q", kind, got)
		}
	}
}

// TestHangUpIsNoStoreDownEvent checks that an error after the client has hung up causes no
// store_down event: otherwise a client could raise alarms by sending logins and hanging up.
func TestHangUpIsNoStoreDownEvent(t *testing.T) {
	t.Parallel()
	var fail error // the result of the PasswordCheck and of the limiter
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.Limiter = limiterFunc(func(login jwtgate.LoginAttempt) (time.Duration, error) {
			if login.Username == "throttled" {
				return 0, fail
			}
			return 0, nil
		})
	})
	check := func(context.Context, string, string) (string, bool, error) { return "", false, fail }
	login := s.Auth.Token(check)
	here := t.Context()
	gone, hangUp := context.WithCancel(here)
	hangUp()
	for _, row := range []struct {
		name   string
		ctx    context.Context
		err    error
		events string
	}{
		{"hung up", gone, fmt.Errorf("query: %w", context.Canceled), ""},
		{"hung up, in a driver's words", gone, errors.New("canceling statement due to user request"), ""},
		{"there", here, errBroken, "store_down: " + errBroken.Error()},
		{"there, but a pool was closed", here, context.Canceled, "store_down: context canceled"},
		{"there, but it took too long", here, context.DeadlineExceeded, "store_down: context deadline exceeded"},
	} {
		fail = row.err
		for _, username := range []string{"alice", "throttled"} {
			s.events()
			login(row.ctx, formRequest("username", username, "password", "x"))
			if events := s.events(); events != row.events {
				t.Errorf("%s, %s: got events %q; want %q", row.name, username, events, row.events)
			}
		}
	}
	// Store calls are not cancelled when the client hangs up, so their cancellation is an
	// error.
	tokens := s.login("alice")
	for call, ask := range map[string]func(){
		"Find": func() { s.Refresh(gone, formRequest("refresh_token", tokens.Refresh)) },
		"End":  func() { s.Logout(gone, formRequest("refresh_token", tokens.Refresh)) },
	} {
		s.events()
		s.store.hook(func(_ context.Context, called string) error {
			if called == call {
				return fmt.Errorf("pool: %w", context.Canceled)
			}
			return nil
		}, nil)
		ask()
		if events := s.events(); !strings.Contains(events, "store_down") {
			t.Errorf("%s is cancelled by the store: got events %q", call, events)
		}
	}
}

// TestEventEndsSessions checks that an Observer may call EndSessions.
func TestEventEndsSessions(t *testing.T) {
	t.Parallel()
	var s *testServer
	s = newTestServer(t, func(c *jwtgate.Config) {
		c.Observers = observing(func(ctx context.Context, e jwtgate.Event) {
			if e.Kind == jwtgate.EventReused {
				if err := s.EndSessions(ctx, e.Subject); err != nil {
					t.Error(err)
				}
			}
		})
	})
	tokens, second := s.login("alice"), s.login("alice")
	s.use(s.mustRefresh(tokens.Refresh).Refresh)
	s.clock.Advance(30 * time.Second)
	if got := s.refresh(tokens.Refresh).text; got != refreshReused {
		t.Errorf("replay: got %s", got)
	}
	if got := s.authenticate(second.Access); got != revoked {
		t.Errorf("another session: got %s", got)
	}
}

// TestSessionsLog checks the log levels: refusals are logged at debug, replays at warn, and
// errors at error.
func TestSessionsLog(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		var log bytes.Buffer
		s := newTestServer(t, func(c *jwtgate.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
		})
		lines := func() int {
			n := strings.Count(log.String(), "\n")
			s.recorder.Write(log.Bytes()) //nolint:errcheck // never fails
			log.Reset()
			return n
		}
		tokens := s.login("alice")
		if got := lines(); got != 0 {
			t.Errorf("%v: got log lines for a login", level)
		}
		s.refresh("garbage")
		if got := lines(); (got == 1) != (level <= slog.LevelDebug) {
			t.Errorf("%v: got %d log lines for a refusal", level, got)
		}
		s.use(s.mustRefresh(tokens.Refresh).Refresh)
		s.store.breaks("Find", false)
		s.refresh(tokens.Refresh)
		s.store.mend()
		want := 1
		if level <= slog.LevelDebug {
			want = 2 // the refusal, too
		}
		if got := lines(); got != want {
			t.Errorf("%v: got %d log lines for a store error; want %d", level, got, want)
		}
		s.clock.Advance(30 * time.Second)
		s.refresh(tokens.Refresh)
		if got := lines(); (got >= 1) != (level <= slog.LevelWarn) {
			t.Errorf("%v: got %d log lines for a replay", level, got)
		}
	}
}

// TestSessionsLogMemory checks that a server without a configured store logs once that its
// sessions end with the process.
func TestSessionsLogMemory(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(serverStart)
	for name, store := range map[string]session.Store{"none": nil, "a memory": session.NewMemory(0, clock.Now)} {
		var log bytes.Buffer
		s := newTestServer(t, func(c *jwtgate.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c.Sessions.Store = store
		})
		s.login("alice")
		want := 0
		if store == nil {
			want = 1
		}
		if got := strings.Count(log.String(), "in the memory of this process"); got != want {
			t.Errorf("store is %s: logged %d lines: %s", name, got, &log)
		}
	}
}
