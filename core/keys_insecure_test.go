package jwtgate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// Tokens by a short secret are accepted until the migration ends. After that the key
// counts as removed: a browser with such a token is anonymous or renewed.
func TestInsecureHS256(t *testing.T) {
	t.Parallel()
	old := []byte("hunter2")
	for _, leeway := range []time.Duration{0, time.Minute} {
		var log strings.Builder
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		set := keys.Set{keys.HS256(secret), keys.InsecureHS256(old, clock.Now().Add(time.Hour))}
		source := keys.Source(set)
		if leeway > 0 {
			source = keys.NewRing(set...)
		}
		auth := newVerifier(t, source, withClock(clock), withCookies, func(c *jwtgate.Config) {
			c.Leeway, c.Logger = leeway, debugLogger(&log)
		})
		if got := strings.Count(log.String(), "level=WARN"); got != 1 || !strings.Contains(log.String(), `key="insecure HS256 key" until=2027-01-15T`) {
			t.Errorf("got %d warnings in the log, want one that names the key and the time: %s", got, &log)
		}
		var tokens []string
		for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"HS256","kid":"x"}`} {
			tokens = append(tokens, jwtgatetest.Sign(t, "HS256", old, header, claims("exp", at(7200))))
		}
		for range 3 { // until they are cached
			for _, token := range tokens {
				decide(t, auth, withBearer(token), accepted)
			}
		}
		issued := jwtgatetest.Token(t, auth, "alice")
		decide(t, auth, withBearer(issued), accepted)
		if got := segment(t, issued, 0)["kid"]; got != keys.HS256(secret).ID() {
			t.Errorf("got a token with kid %v, want that of the other key", got)
		}
		clock.Advance(time.Hour + leeway - 1)
		decide(t, auth, withBearer(tokens[0]), accepted)
		clock.Advance(1)
		for _, token := range tokens {
			d := decide(t, auth, withBearer(token), jwtgate.CodeTokenInvalid)
			if got, want := d.Refusal.Error(), fmt.Sprintf("the only key in Config.Keys is HS256 %q", keys.HS256(secret).ID()); !strings.Contains(got, want) {
				t.Errorf("got %s; want %s", got, want)
			}
		}
		decide(t, auth, withCookie(tokens[1]), jwtgate.CodeTokenMissing)
		if strings.Count(log.String(), "level=WARN") != 1 || strings.Contains(log.String(), string(old)) {
			t.Errorf("got another warning or the secret in the log: %s", &log)
		}
	}
}

// An insecure secret signs nothing, and no other secret is derived from it.
func TestInsecureHS256SignsNothing(t *testing.T) {
	t.Parallel()
	key := keys.InsecureHS256(secret, time.Unix(start, 0).Add(time.Hour))
	auth := newVerifier(t, key)
	if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); err == nil {
		t.Error("got a token signed with an insecure secret")
	}
	_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: key, Sessions: &jwtgate.SessionConfig{
		Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
	}})
	if !strings.Contains(errText(err), "Config.Keys: has no key that can sign") {
		t.Errorf("got %v for sessions, want that no key can sign", err)
	}
	_, err = jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: key, Sessions: &jwtgate.SessionConfig{
		Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
		Store:   struct{ session.Store }{session.NewMemory(0, nil)}, // not known to be in this process
	}})
	if !strings.Contains(errText(err), "Sessions.Keys: is empty") {
		t.Errorf("got %v for sessions in another process, want that refresh tokens have no secret", err)
	}
	if got := key.String() + ", " + key.ID() + ", " + key.WithID("old").String(); got != "insecure HS256 key, , insecure HS256 key old" {
		t.Errorf("got %s; want no kid unless it is given", got)
	}
	if got := keyIDs(t, auth); len(got) > 0 {
		t.Errorf("got the keys %v published", got)
	}
}

func TestInsecureHS256Mistakes(t *testing.T) {
	t.Parallel()
	until := time.Unix(start, 0).Add(time.Hour)
	for _, row := range []struct {
		name string
		keys keys.Source
		want string // empty for none
	}{
		{"one byte", keys.InsecureHS256([]byte("x"), until), ""},
		{"long", keys.InsecureHS256(secret, until), ""},
		{"until has passed", keys.InsecureHS256(secret, time.Unix(1, 0)), ""},
		{"two secrets", keys.Set{keys.InsecureHS256([]byte("a"), until), keys.InsecureHS256([]byte("b"), until)}, ""},
		{"two secrets in a ring", keys.NewRing(ringKey(1), keys.InsecureHS256([]byte("a"), until), keys.InsecureHS256([]byte("b"), until)), ""},
		{"nil", keys.InsecureHS256(nil, until), "is empty: anyone could sign"},
		{"empty", keys.InsecureHS256([]byte{}, until), "is empty: anyone could sign"},
		{"zeros", keys.InsecureHS256(make([]byte, 5), until), "all zeros"},
		{"a PEM file", keys.InsecureHS256([]byte("-----BEGIN PUBLIC KEY-----\n"), until), "is a PEM file"},
		{"no time", keys.InsecureHS256(secret, time.Time{}), "is zero: set it to when"},
		{"two secrets with one kid", keys.Set{keys.InsecureHS256([]byte("a"), until).WithID("k"), keys.InsecureHS256([]byte("b"), until).WithID("k")}, `two keys have the kid "k"`},
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: row.keys})
		if got := errText(err); (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
	ring := keys.NewRing(ringKey(1), keys.InsecureHS256([]byte("a"), until))
	do(t, ring.Replace(ringKey(1), keys.InsecureHS256([]byte("b"), until)))
	rotateTo(t, ring, ringKey(2))
	checkRing(t, ring, "2 signs, insecure verifies until 09:00:00")
}
