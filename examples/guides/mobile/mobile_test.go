package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

const googleSecret = "a secret of at least 32 bytes, in place of Google's keys"

// A server answers the app.
type server struct {
	t      *testing.T
	clock  *jwtgatetest.Clock
	routes http.Handler
}

func start(t *testing.T) *server {
	t.Helper()
	clock := jwtgatetest.NewClock(time.Now())
	newAuth := func(c jwtgate.Config) *jwtgate.Auth {
		t.Helper()
		auth, err := jwtgate.New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(auth.Close)
		return auth
	}
	c, g := config([]byte("a secret of at least 32 bytes, for tests")), googleConfig("app.example.com")
	c.Now = clock.Now
	g.Keys = keys.HS256([]byte(googleSecret))
	return &server{t, clock, routes(newAuth(c), newAuth(g))}
}

// An answer of an endpoint, or of /me.
type answer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Subject string `json:"sub"`
	Code    string `json:"code"`
	status  int
}

func (s *server) send(method, path, bearer string, form url.Values) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	w := httptest.NewRecorder()
	s.routes.ServeHTTP(w, r)
	got := answer{status: w.Code}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			s.t.Fatalf("%s: %v\n%s", path, err, w.Body)
		}
	}
	if len(w.Result().Cookies()) > 0 {
		s.t.Errorf("%s sets cookies", path)
	}
	return got
}

func (s *server) refresh(token string) answer {
	s.t.Helper()
	return s.send("POST", "/refresh", "", url.Values{"refresh_token": {token}})
}

func (s *server) signIn() answer {
	s.t.Helper()
	got := s.send("POST", "/token", "", url.Values{"username": {"alice"}, "password": {"wonderland"}})
	if got.status != 200 || got.Access == "" || got.Refresh == "" {
		s.t.Fatalf("got %+v; want tokens", got)
	}
	return got
}

func (s *server) want(name string, got answer, status int, code string) {
	s.t.Helper()
	if got.status != status || got.Code != code {
		s.t.Errorf("%s: got %d %s; want %d %s", name, got.status, got.Code, status, code)
	}
}

// TestApp uses an app for some months.
func TestApp(t *testing.T) {
	s := start(t)
	first := s.signIn()
	if got := s.send("GET", "/me", first.Access, nil); got.Subject != "alice" {
		t.Errorf("got %+v; want alice", got)
	}

	s.clock.Advance(time.Hour)
	s.want("an hour later", s.send("GET", "/me", first.Access, nil), 401, "token_expired")
	lost := s.refresh(first.Refresh) // the answer gets lost in a tunnel
	s.clock.Advance(24 * time.Hour)
	second := s.refresh(first.Refresh)
	s.want("the same refresh token a day later", second, 200, "")
	if second.Refresh != lost.Refresh {
		t.Error("the lost refresh token was replaced by another one")
	}
	s.want("the new access token", s.send("GET", "/me", second.Access, nil), 200, "")

	s.clock.Advance(50 * 24 * time.Hour)
	third := s.refresh(second.Refresh)
	s.want("seven weeks later", third, 200, "")
	s.want("two threads at the same time", s.refresh(second.Refresh), 200, "")

	s.want("sign-out", s.send("POST", "/logout", "", url.Values{"refresh_token": {third.Refresh}}), 204, "")
	s.want("after the sign-out", s.send("GET", "/me", third.Access, nil), 401, "token_revoked")
	s.want("a refresh after the sign-out", s.refresh(third.Refresh), 401, "refresh_revoked")
}

// TestStolen uses a copy of a refresh token, which ends the session of thief and owner.
func TestStolen(t *testing.T) {
	s := start(t)
	copied := s.signIn().Refresh
	s.clock.Advance(time.Hour)
	own := s.refresh(copied)
	s.want("the owner", s.send("GET", "/me", own.Access, nil), 200, "")
	s.clock.Advance(time.Hour)
	own = s.refresh(own.Refresh)
	s.want("the owner, later", own, 200, "")
	s.clock.Advance(time.Hour)
	s.want("the thief", s.refresh(copied), 401, "refresh_reused")
	s.want("the owner, who must sign in again", s.refresh(own.Refresh), 401, "refresh_revoked")
}

// TestGoogle exchanges ID tokens.
func TestGoogle(t *testing.T) {
	s := start(t)
	idToken := func(audience string, age time.Duration) string {
		issued := time.Now().Add(-age).Unix()
		return jwtgatetest.Sign(t, "HS256", []byte(googleSecret), `{"alg":"HS256","typ":"JWT"}`, fmt.Sprintf(
			`{"iss":"https://accounts.google.com","aud":%q,"sub":"1078","iat":%d,"exp":%d,"nonce":"n"}`, audience, issued, issued+3600))
	}
	for _, row := range []struct {
		name, token string
		status      int
		code        string
	}{
		{"fresh", idToken("app.example.com", time.Minute), 200, ""},
		{"of half an hour ago", idToken("app.example.com", 30*time.Minute), 403, "insufficient_scope"},
		{"for another app", idToken("evil.example.com", time.Minute), 401, "token_invalid"},
		{"of this server", s.signIn().Access, 401, "token_invalid"},
		{"none", "", 401, "token_missing"},
	} {
		got := s.send("POST", "/token/google", row.token, nil)
		s.want(row.name, got, row.status, row.code)
		if row.status == 200 {
			if me := s.send("GET", "/me", got.Access, nil); me.Subject != "google|1078" {
				t.Errorf("%s: got %+v; want google|1078", row.name, me)
			}
			s.want(row.name+", refreshed", s.refresh(got.Refresh), 200, "")
		}
	}
	auth, err := jwtgate.New(config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	s.routes = routes(auth, nil)
	s.want("without Google", s.send("POST", "/token/google", idToken("app.example.com", 0), nil), 503, "unavailable")
}
