package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestBusySession checks that a client that must wait is told until when, that its cookies
// stay, and that nothing is logged as an error of the server.
func TestBusySession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	refresh, _ := refreshStates["late again"](s)
	for _, row := range []struct {
		after time.Duration
		want  string // Retry-After
	}{{0, "10"}, {9 * time.Second, "1"}, {999 * time.Millisecond, "1"}} {
		s.clock.Advance(row.after)
		d := s.Decide(t.Context(), browser{"", refresh}.request(http.MethodGet))
		if got := s.describe(d); got != "503 unavailable" {
			t.Errorf("got %s", got)
		}
		if got := fieldValues(d.Response.Header, "Retry-After"); len(got) != 1 || got[0] != row.want {
			t.Errorf("got Retry-After %v; want %s", got, row.want)
		}
	}
	s.clock.Advance(time.Millisecond)
	if got := s.decide(browser{"", refresh}.request(http.MethodGet)); got != "pass alice new" {
		t.Errorf("after two windows: got %s", got)
	}
	if got := s.countEvents(jwtgate.EventStoreDown); got != 0 {
		t.Errorf("got %d events of a store that is down; want none", got)
	}
}

// TestPredictionIsNotFinal checks that a replaced token is judged by the clock of the store
// alone: a process whose clock is far off neither refuses it nor accepts it.
func TestPredictionIsNotFinal(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
		s := newTestServer(t, func(c *jwtgate.Config) {
			now := c.Now
			c.Now = func() time.Time { return now().Add(ahead) }
		})
		tokens := s.login("alice")
		next := s.mustRefresh(tokens.Refresh)
		s.use(next.Refresh)
		for _, row := range []struct {
			after time.Duration
			want  string
		}{{9 * time.Second, "200"}, {time.Second, refreshStale}, {19 * time.Second, refreshStale}, {time.Second, refreshReused}} {
			s.clock.Advance(row.after)
			if got := s.refresh(tokens.Refresh).text; got != row.want {
				t.Errorf("%v ahead: got %s; want %s", ahead, got, row.want)
			}
		}
	}
}

// TestLateAnswerWithReissue checks that a late answer does not extend the refresh token if
// the store keeps the session for longer.
func TestLateAnswerWithReissue(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
	tokens := s.login("alice")
	s.mustRefresh(tokens.Refresh)
	s.clock.Advance(6 * 24 * time.Hour)
	late := s.mustRefresh(tokens.Refresh)
	s.clock.Advance(24 * time.Hour)
	if got := s.refresh(late.Refresh).text; got != refreshExpired {
		t.Errorf("7 days after the rotation: got %s; want %s", got, refreshExpired)
	}
}

// TestReissueRefreshOfEarlierGeneration checks that ReissueRefresh treats an access token
// as the refresh token of its generation.
func TestReissueRefreshOfEarlierGeneration(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		used  bool
		after time.Duration
		want  string
	}{
		{"its successor is unused", false, time.Minute, "pass alice new"},
		{"its successor was used just now", true, 9 * time.Second, "pass alice new"},
		{"its successor is in use", true, 15 * time.Second, "pass alice"},
		{"its successor has been in use", true, time.Minute, "401 token_revoked clear"},
	} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
		tokens := s.signIn("alice")
		next := s.mustRefresh(tokens.Refresh)
		if row.used {
			s.use(next.Refresh)
		}
		s.clock.Advance(row.after)
		if got := s.decide(browser{tokens.Access.Token, ""}.request(http.MethodGet)); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
		if got := s.sessionOf(tokens.Refresh).Generation; got != 1 {
			t.Errorf("%s: got generation %d; want 1", row.name, got)
		}
	}
}

// TestAccessTokenSaysGeneration checks that the access token of every answer names the
// generation of its refresh token, however the store's outcome differs from the prediction.
func TestAccessTokenSaysGeneration(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	first := s.login("alice")
	second := s.mustRefresh(first.Refresh)
	again := s.mustRefresh(first.Refresh)
	s.clock.Advance(time.Minute)
	third := s.mustRefresh(second.Refresh)
	for i, row := range []struct {
		tokens reply
		want   float64
	}{{first, 0}, {second, 1}, {again, 1}, {third, 2}} {
		_, claims := claimsOf(t, row.tokens.Access)
		if got := claims["gen"]; got != row.want {
			t.Errorf("answer %d: got gen %v; want %v", i, got, row.want)
		}
	}
}

// TestStoreThatWrapsMemory checks that a store that wraps the memory of this process needs
// no secret, and that one that may outlive the process does.
func TestStoreThatWrapsMemory(t *testing.T) {
	t.Parallel()
	type wrapped struct{ *session.Memory }
	type unknown struct{ session.Store }
	memory := session.NewMemory(0, nil)
	for _, row := range []struct {
		name  string
		store session.Store
		good  bool
	}{
		{"memory", memory, true},
		{"wrapped", wrapped{memory}, true},
		{"of another kind", unknown{memory}, false},
	} {
		auth, err := jwtgate.New(jwtgate.Config{
			Issuer:   serverIssuer,
			Audience: serverAudience,
			Keys:     keys.Set{keys.HS256(signingSecret), keys.HS256(unknownSecret)},
			Sessions: &jwtgate.SessionConfig{Store: row.store, Subject: anySubject},
		})
		if (err == nil) != row.good {
			t.Errorf("%s: got error %v", row.name, err)
		}
		auth.Close()
	}
}
