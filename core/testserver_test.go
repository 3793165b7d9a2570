package jwtgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// A testServer is an Auth with sessions, whose clock, store and users are under
// the control of the test. A test sends requests to it as one of two clients: as a
// program, which keeps its tokens itself, or as a browser, which has cookies.
//
//	s := newTestServer(t)                     // all options at their defaults
//	tokens := s.login("alice")                // a program signs alice in
//	s.clock.Advance(time.Hour)                // an hour passes
//	s.refresh(tokens.Refresh).text            // "200" or "401 refresh_expired invalid_grant"
//	s.authenticate(tokens.Access)             // "alice" or "401 token_expired"
//	s.events()                                // what happened, one event a line
//
//	s := newTestServer(t, withCookies)
//	b := browserWith(s.signIn("alice"))       // a browser in which alice is signed in
//	s.decide(b.request(http.MethodGet))       // "pass alice", "pass alice new" with new cookies, or a refusal
//	s.store.breaks("Find", false)             // Store.Find fails from now on
//	s.send(s.Logout, b.post()).text           // "204 clear" when the cookies are deleted
//
// The methods check what holds for all answers. When the test ends, the server's
// log, its events and its refusals must not contain a token, a key or a password.
type testServer struct {
	*jwtgate.Auth

	tb       testing.TB
	config   jwtgate.Config
	clock    *jwtgatetest.Clock // of the Auth and of the store
	store    *faultyStore
	users    *testUsers
	recorder *recorder
}

const (
	serverIssuer   = "https://auth.example"
	serverAudience = "https://api.example"
)

var (
	signingSecret = []byte("signs the access tokens of the test server, 32 bytes or more")
	refreshSecret = []byte("makes the refresh tokens of the test server, 32 bytes or more")
	unknownSecret = []byte("a secret that the test server does not know, 32 bytes or more")
	serverStart   = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
)

// newTestServer returns a server with the default configuration, changed by options.
func newTestServer(tb testing.TB, options ...func(*jwtgate.Config)) *testServer {
	tb.Helper()
	clock := jwtgatetest.NewClock(serverStart)
	s := &testServer{
		tb:       tb,
		clock:    clock,
		store:    &faultyStore{Store: session.NewMemory(0, clock.Now)},
		users:    &testUsers{},
		recorder: &recorder{},
	}
	tb.Cleanup(func() { s.recorder.check(tb) })
	s.config = jwtgate.Config{
		Issuer:   serverIssuer,
		Audience: serverAudience,
		Keys:     keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{
			Store:   s.store,
			Keys:    [][]byte{refreshSecret},
			Subject: s.users.subject,
		},
		Observers: observing(s.recorder.event),
		Logger:    slog.New(slog.NewTextHandler(s.recorder, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       clock.Now,
	}
	s.open(options)
	return s
}

// another returns a second process of the same service: a server with the same
// clock, store and users, whose configuration is that of s, changed by options.
func (s *testServer) another(options ...func(*jwtgate.Config)) *testServer {
	s.tb.Helper()
	other := *s
	other.open(options)
	return &other
}

// open makes the Auth of s from its configuration, changed by options.
func (s *testServer) open(options []func(*jwtgate.Config)) {
	s.tb.Helper()
	sessions := *s.config.Sessions // options must not change another server
	s.config.Sessions = &sessions
	if s.config.Cookies != nil {
		cookies := *s.config.Cookies
		s.config.Cookies = &cookies
	}
	for _, option := range options {
		option(&s.config)
	}
	auth, err := jwtgate.New(s.config)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(auth.Close)
	s.Auth = auth
}

// subtest returns s for a subtest: it reports failures to tb.
func (s *testServer) subtest(tb testing.TB) *testServer {
	sub := *s
	sub.tb = tb
	return &sub
}

// withCookies is an option: access tokens may come in cookies, from pages of the
// server's own host and of https://app.example.
func withCookies(c *jwtgate.Config) {
	c.Cookies = &jwtgate.CookieConfig{TrustedOrigins: []string{"https://app.example"}}
}

// withoutRecorder is an option for benchmarks and fuzz tests, whose events and log
// lines are too many to be kept.
func withoutRecorder(c *jwtgate.Config) { c.Observers, c.Logger = nil, slog.New(slog.DiscardHandler) }

// testUsers load the subjects of a testServer, with a function that a test can replace.
type testUsers struct {
	mu   sync.Mutex
	load func(ctx context.Context, subject string) (jwtgate.Grant, error) // nil: anySubject
}

// subject is the server's Sessions.Subject.
func (u *testUsers) subject(ctx context.Context, subject string) (jwtgate.Grant, error) {
	return u.current()(ctx, subject)
}

// current returns the function that loads subjects now.
func (u *testUsers) current() func(ctx context.Context, subject string) (jwtgate.Grant, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.load == nil {
		return anySubject
	}
	return u.load
}

// setSubject replaces the function that loads subjects. Nil stands for anySubject.
func (s *testServer) setSubject(load func(ctx context.Context, subject string) (jwtgate.Grant, error)) {
	s.users.mu.Lock()
	defer s.users.mu.Unlock()
	s.users.load = load
}

// anySubject is the default: everyone has an account, with the role "user".
func anySubject(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

// unknownSubject is a function for setSubject: nobody has an account any more.
func unknownSubject(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{}, fmt.Errorf("no such row: %w", jwtgate.ErrNoSubject)
}

// failingSubject is a function for setSubject that fails with errBroken.
func failingSubject(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{}, errBroken
}

// subjectWithReservedClaim is a function for setSubject: the grant has a claim that
// only the server may set, so no token can be issued.
func subjectWithReservedClaim(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{Claims: map[string]any{"exp": 1 << 40}}, nil
}

// mint returns an access token for alice that is signed with the server's key, but
// was not issued by the server. It is of the session sid, or of none if sid is
// empty, was issued age ago and is valid for 15 minutes from then. The members of
// change replace its claims; nil values remove them.
func (s *testServer) mint(sid string, age time.Duration, change map[string]any) string {
	s.tb.Helper()
	return s.mintWith(signingSecret, keys.HS256(signingSecret).ID(), sid, age, change)
}

// mintWith is mint with another secret and the kid that the token names.
func (s *testServer) mintWith(secret []byte, kid, sid string, age time.Duration, change map[string]any) string {
	s.tb.Helper()
	issued := s.clock.Now().Add(-age)
	claims := map[string]any{
		"iss": serverIssuer, "aud": serverAudience, "sub": "alice", "jti": "minted", "roles": []string{"user"},
		"iat": issued.Unix(), "exp": issued.Add(15 * time.Minute).Unix(), "auth_time": issued.Unix(),
	}
	if sid != "" {
		claims["sid"] = sid
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		s.tb.Fatal(err)
	}
	return jwtgatetest.Sign(s.tb, "HS256", secret, fmt.Sprintf(`{"alg":"HS256","typ":"at+jwt","kid":%q}`, kid), string(payload))
}

// codec returns the codec of the server's refresh tokens.
func (s *testServer) codec() *refreshtoken.Codec {
	s.tb.Helper()
	codec, err := refreshtoken.New(serverIssuer, serverAudience, refreshSecret)
	if err != nil {
		s.tb.Fatal(err)
	}
	return codec
}

// use records in the store that the generation of a refresh token is in use, as the
// confirmation of a request with its access token would.
func (s *testServer) use(refresh string) {
	s.tb.Helper()
	token, err := s.codec().Decode(refresh)
	if err != nil {
		s.tb.Fatal(err)
	}
	use := session.Confirmation{ID: token.ID, Generation: token.Generation}
	if err := s.store.Store.Confirm(s.tb.Context(), []session.Confirmation{use}, session.Policy{}); err != nil {
		s.tb.Fatal(err)
	}
}

// sessionOf returns the record of the session that a refresh token is of.
func (s *testServer) sessionOf(refresh string) session.Record {
	s.tb.Helper()
	token, err := s.codec().Decode(refresh)
	if err != nil {
		s.tb.Fatal(err)
	}
	record, found, err := s.store.Store.Find(s.tb.Context(), token.ID)
	if err != nil || !found {
		s.tb.Fatalf("session of a refresh token: found %v, error %v", found, err)
	}
	return record
}

// ownerOf returns the owner of the sessions of subject.
func ownerOf(subject string) session.Owner {
	return session.Owner{Issuer: serverIssuer, Audience: serverAudience, Subject: subject}
}

// isLive reports whether the session with the ID sid is live in the store.
func (s *testServer) isLive(sid string) bool {
	s.tb.Helper()
	id, ok := session.ParseID(sid)
	if !ok {
		s.tb.Fatalf("%q is not a session ID", sid)
	}
	record, found, err := s.store.Store.Find(s.tb.Context(), id)
	if err != nil {
		s.tb.Fatal(err)
	}
	return found && record.LiveAt(s.clock.Now())
}

// liveSessions returns the number of live sessions that subject has in the store.
func (s *testServer) liveSessions(subject string) int {
	s.tb.Helper()
	records, err := s.store.Store.List(s.tb.Context(), ownerOf(subject), session.Cursor{}, 1000)
	if err != nil {
		s.tb.Fatal(err)
	}
	return len(records)
}
