package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens, err := s.SignIn(t.Context(), jwtgate.Request{Header: http.Header{"User-Agent": {"looking glass"}, "Cookie": {"a=b"}}}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.authenticate(tokens.Access.Token); got != "alice" {
		t.Errorf("access token is for %s", got)
	}
	if tokens.SessionID != sidOf(t, tokens.Access.Token) {
		t.Errorf("SessionID is %s", tokens.SessionID)
	}
	if !tokens.Access.Expires.Equal(serverStart.Add(15*time.Minute)) || tokens.Access.TTL != 15*time.Minute || !tokens.RefreshExpires.Equal(serverStart.Add(7*24*time.Hour)) {
		t.Errorf("times are %+v", tokens)
	}
	if res := s.read(tokens.Response()); res.Access != tokens.Access.Token || res.Refresh != tokens.Refresh {
		t.Errorf("answer is %s", res.Body)
	}
	if res := tokens.Cookies(); res.Status != http.StatusServiceUnavailable {
		t.Errorf("cookies without Config.Cookies: %+v", res)
	}
	if got, want := s.events(), "signed_in alice "+tokens.SessionID+" by looking glass"; !strings.HasPrefix(got, want) {
		t.Errorf("got events %q; want %q", got, want)
	}

	for _, row := range []struct {
		name    string
		subject func(ctx context.Context, subject string) (jwtgate.Grant, error)
		as      string
		want    string
	}{
		{"gone", unknownSubject, "alice", "401 invalid_credentials"},
		{"trouble", failingSubject, "alice", "503 unavailable"},
		{"no token can be made", subjectWithReservedClaim, "alice", "503 unavailable"},
		{"nobody", nil, "", "503 unavailable"},
	} {
		s.setSubject(row.subject)
		_, err := s.SignIn(t.Context(), jwtgate.Request{}, row.as)
		refusal := (*jwtgate.Refusal)(nil)
		if !errors.As(err, &refusal) {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := s.read(refusal.Response()).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := s.liveSessions("alice"); got != 1 {
		t.Errorf("%d sessions are live; want 1", got)
	}
}

// TestGrantOfAnotherSubject checks that the subject of a session is the one that signed in,
// whatever subject the loaded Grant names.
func TestGrantOfAnotherSubject(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{Subject: "mallory"}, nil })
	tokens := s.login("alice")
	if got := s.authenticate(tokens.Access); got != "alice" {
		t.Errorf("after login: %s", got)
	}
	if got := s.authenticate(s.mustRefresh(tokens.Refresh).Access); got != "alice" {
		t.Errorf("after refresh: %s", got)
	}
}

// TestUserAgent checks that the user agent of a session is stored in at most 256 bytes of
// valid UTF-8, and is escaped when it is listed.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	for _, userAgent := range []string{
		"", "looking glass", strings.Repeat("x", 1<<20), strings.Repeat("é", 200), strings.Repeat("\xff", 500),
		"a\r\nSet-Cookie: __Host-at=evil", "a\x00b", "<script>alert(1)</script>", `"},{"id":"`, "\u202egnol", "a\xffb",
	} {
		s := newTestServer(t)
		req := withField(formRequest("username", "alice", "password", "wonderland"), "User-Agent", userAgent)
		tokens := s.send(s.tokenEndpoint(), req)
		res := s.send(s.ListSessions, withToken(jwtgate.Request{Method: http.MethodGet}, tokens.Access))
		var infos []jwtgate.SessionInfo
		if err := decodeStrict(res.Body, &infos); err != nil || len(infos) != 1 {
			t.Fatalf("%.20q: list is %s, %v", userAgent, res.Body, err)
		}
		got := infos[0].UserAgent
		if len(got) > 256 || !utf8.ValidString(got) || !strings.HasPrefix(strings.ToValidUTF8(userAgent, ""), got) {
			t.Errorf("%.20q: kept as %q", userAgent, got)
		}
		if len(userAgent) <= 256 && utf8.ValidString(userAgent) && got != userAgent {
			t.Errorf("%.20q: kept as %q", userAgent, got)
		}
		if strings.ContainsAny(string(res.Body), "<>\r\x00") {
			t.Errorf("%.20q: list is %q", userAgent, res.Body)
		}
	}
}

// TestRequestIsCopied checks that everything that is kept of a request is copied, because a
// framework may reuse its buffers.
func TestRequestIsCopied(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	userAgent, name := []byte("looking glass"), []byte("username=alice&password=wonderland")
	req := withField(bodyRequest(formType, unsafeString(name)), "User-Agent", unsafeString(userAgent))
	tokens := s.send(s.tokenEndpoint(), req)
	presented := []byte("refresh_token=" + tokens.Refresh)
	again := withField(bodyRequest(formType, unsafeString(presented)), "User-Agent", unsafeString(userAgent))
	s.send(s.Refresh, again)
	for _, buffer := range [][]byte{userAgent, name, presented} {
		for i := range buffer {
			buffer[i] = 'x'
		}
	}
	infos, _, err := s.Sessions(t.Context(), "alice", "")
	if err != nil || len(infos) != 1 || infos[0].UserAgent != "looking glass" {
		t.Errorf("sessions are %+v, %v", infos, err)
	}
	if events := s.events(); strings.Contains(events, "xxxxxx") {
		t.Errorf("got events %q", events)
	}
}

// TestMaxSessions checks that a login above MaxSessions ends the oldest session and its access
// tokens, on every process.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions = 2 })
		other := s.another()
		bob := s.login("bob")
		var tokens []reply
		for i := range 4 {
			tokens = append(tokens, s.login("alice"))
			synctest.Wait()
			for j, res := range tokens {
				who, again := "alice", "200"
				if j < i-1 {
					who, again = "401 token_revoked", "401 refresh_revoked invalid_grant"
				}
				if got := s.authenticate(res.Access); got != who {
					t.Errorf("after login %d, session %d: got %s; want %s", i, j, got, who)
				}
				if got := other.authenticate(res.Access); got != who {
					t.Errorf("after login %d, session %d, elsewhere: got %s; want %s", i, j, got, who)
				}
				if got := s.refresh(res.Refresh).text; got != again {
					t.Errorf("after login %d, refresh of session %d: got %s; want %s", i, j, got, again)
				}
			}
			s.clock.Advance(time.Second)
		}
		if got := s.authenticate(bob.Access); got != "bob" {
			t.Errorf("another subject: got %s", got)
		}
		if got := s.liveSessions("alice"); got != 2 {
			t.Errorf("%d sessions are live; want 2", got)
		}
	})
}

func TestRefuseAtMax(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.MaxSessions, c.Sessions.RefuseAtMax, c.Sessions.RefreshTTL = 2, true, time.Hour
	})
	login := func() reply {
		return s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "wonderland"))
	}
	first, second := login(), login()
	if got := login().text; got != "403 too_many_sessions invalid_request" {
		t.Errorf("third login: got %s", got)
	}
	if s.authenticate(first.Access) != "alice" || s.authenticate(second.Access) != "alice" {
		t.Error("a refused login ended a session")
	}
	if got := s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "guess")).text; got != "401 invalid_credentials invalid_grant" {
		t.Errorf("wrong password at the limit: got %s", got)
	}
	_, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if refusal := (*jwtgate.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != jwtgate.CodeTooManySessions || !errors.Is(err, session.ErrTooMany) {
		t.Errorf("SignIn at the bound: %v", err)
	}
	s.logout(first.Refresh)
	if got := login().text; got != "200" {
		t.Errorf("after a logout: got %s", got)
	}
	if got := login().text; got != "403 too_many_sessions invalid_request" {
		t.Errorf("at the bound again: got %s", got)
	}
	s.clock.Advance(time.Hour) // both end
	if got := login().text; got != "200" {
		t.Errorf("after both expired: got %s", got)
	}
}

// TestMaxSessionsDefault checks that there are at most 100 sessions of a subject unless the
// configuration says otherwise.
func TestMaxSessionsDefault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ most, want int }{{0, 100}, {101, 101}, {-1, 102}} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions = test.most })
		for range 102 {
			s.signIn("alice")
		}
		if got := s.liveSessions("alice"); got != test.want {
			t.Errorf("MaxSessions %d: got %d sessions; want %d", test.most, got, test.want)
		}
	}
}

// TestMaxSessionsConcurrent checks that concurrent logins do not exceed MaxSessions.
func TestMaxSessionsConcurrent(t *testing.T) {
	t.Parallel()
	for _, refuse := range []bool{false, true} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions, c.Sessions.RefuseAtMax = 3, refuse })
		var in atomic.Int64
		var racers sync.WaitGroup
		for range 32 {
			racers.Go(func() {
				if _, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice"); err == nil {
					in.Add(1)
				}
			})
		}
		racers.Wait()
		if got := s.liveSessions("alice"); got != 3 {
			t.Errorf("refuse %v: %d sessions are live; want 3", refuse, got)
		}
		if got := in.Load(); refuse && got != 3 || !refuse && got != 32 {
			t.Errorf("refuse %v: %d logins were let in", refuse, got)
		}
	}
}

// TestStoreIsFull checks that a full store refuses logins and nothing else, and that expired
// sessions make room.
func TestStoreIsFull(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	small := s.another(func(c *jwtgate.Config) {
		c.Sessions.Store = session.NewMemory(2, s.clock.Now)
		c.Sessions.RefreshTTL = time.Hour
	})
	login := func(subject string) string {
		return small.send(small.tokenEndpoint(), formRequest("username", subject, "password", "wonderland")).text
	}
	alice, bob := small.login("alice"), small.login("bob")
	if got := login("carol"); got != "503 unavailable" {
		t.Errorf("at the bound: got %s", got)
	}
	if small.authenticate(alice.Access) != "alice" || small.refresh(bob.Refresh).text != "200" {
		t.Error("existing sessions were ended")
	}
	s.clock.Advance(2 * time.Hour)
	for i := range 100 { // in all shards of the store
		subject := fmt.Sprint("subject ", i)
		if got := login(subject); got != "200" {
			t.Fatalf("%s, after all have expired: got %s", subject, got)
		}
		s.clock.Advance(time.Hour)
	}
}
