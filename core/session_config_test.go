package jwtgate_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestSessionConfigMistakes checks that New reports all mistakes, each with the name of its
// field, and prints no secret.
func TestSessionConfigMistakes(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &faultyStore{Store: session.NewMemory(0, nil)} // any Store but a Memory
	long := []byte("a secret that is as long as it has to be, and longer")
	for _, row := range []struct {
		name   string
		change func(c *jwtgate.Config, s *jwtgate.SessionConfig)
		want   string // the fields with mistakes, in alphabetical order
	}{
		{"none", func(*jwtgate.Config, *jwtgate.SessionConfig) {}, ""},
		{"no Subject", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Subject = nil }, "Sessions.Subject"},
		{"RefreshTTL below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.RefreshTTL = -1 }, "Sessions.RefreshTTL"},
		{"SessionTTL below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.SessionTTL = -1 }, "Sessions.SessionTTL"},
		{"SessionTTL as short as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.SessionTTL = time.Second }, ""},
		{"Timeout below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Timeout = -1 }, "Sessions.Timeout"},
		{"ReuseWindow below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = -1 }, "Sessions.ReuseWindow"},
		{"ReuseWindow as short as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Second }, ""},
		{"ReuseWindow too short", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Second - 1 }, "Sessions.ReuseWindow"},
		{"ReuseWindow as long as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Minute }, ""},
		{"ReuseWindow too long", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Minute + 1 }, "Sessions.ReuseWindow"},
		{"MaxLag below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = -1 }, "Sessions.MaxLag"},
		{"MaxLag as short as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = time.Second }, ""},
		{"MaxLag too short", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = time.Second - 1 }, "Sessions.MaxLag"},
		{"MaxSessions below -1", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxSessions = -2 }, "Sessions.MaxSessions"},
		{"no MaxSessions", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxSessions = -1 }, ""},
		{"RefuseAtMax at the default", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.RefuseAtMax = true }, ""},
		{"RefuseAtMax without a maximum", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.RefuseAtMax, s.MaxSessions = true, -1 }, "Sessions.RefuseAtMax"},
		{"Limiter", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) {
			s.Limiter = &jwtgate.PasswordLimiter{Failures: 100_000, AddressFailures: 100_000}
		}, ""},
		{"Limiter nil", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Limiter = (*jwtgate.PasswordLimiter)(nil) }, "Sessions.Limiter"},
		{"Limiter below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) {
			s.Limiter = &jwtgate.PasswordLimiter{Failures: -1, AddressFailures: -1}
		}, "Sessions.Limiter.AddressFailures Sessions.Limiter.Failures"},
		{"Limiter too high", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) {
			s.Limiter = &jwtgate.PasswordLimiter{Failures: 100_001, AddressFailures: 100_001}
		}, "Sessions.Limiter.AddressFailures Sessions.Limiter.Failures"},
		{"Jitter below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = -1 }, "Sessions.Jitter"},
		{"Jitter as long as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = 450 * time.Second }, ""},
		{"Jitter too long", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = 450*time.Second + 1 }, "Sessions.Jitter"},
		{"short key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{[]byte("hunter2")} }, "Sessions.Keys"},
		{"key a byte too short", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long[:31]} }, "Sessions.Keys"},
		{"short second key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long, []byte("hunter2")} }, "Sessions.Keys"},
		{"empty key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{{}} }, "Sessions.Keys"},
		{"key of the shortest length", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long[:32]} }, ""},
		{"ECDSA, memory, no key", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.ES256(private) }, ""},
		{"ECDSA, named memory, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.ES256(private), session.NewMemory(0, nil)
		}, ""},
		{"ECDSA, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) { c.Keys, s.Store = keys.ES256(private), elsewhere }, "Sessions.Keys"},
		{"ECDSA, shared store, key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store, s.Keys = keys.ES256(private), elsewhere, [][]byte{long}
		}, ""},
		{"HMAC, shared store, no key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Store = elsewhere }, ""},
		{"HMAC ring, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.Set{keys.HS256(long), keys.HS256(signingSecret)}, elsewhere
		}, "Sessions.Keys"},
		{"ring of one HMAC key, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.NewRing(keys.HS256(long)), elsewhere
		}, "Sessions.Keys"},
		{"ring of public keys", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) {
			c.Keys = keys.NewRing(keys.ES256(&private.PublicKey))
		}, "Keys"},
		{"ring of public keys, one to sign announced", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) {
			ring := keys.NewRing(keys.ES256(&private.PublicKey))
			_ = ring.Announce(keys.HS256(long))
			c.Keys = ring
		}, "Keys"},
		{"public key", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.ES256(&private.PublicKey) }, "Keys"},
		{"short signing secret", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.HS256([]byte("hunter2")) }, "Keys"},
		{"short signing secret, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.HS256([]byte("hunter2")), elsewhere
		}, "Keys"},
		{"no issuer", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Issuer, c.InsecureAnyIssuer = "", true }, "Sessions"},
		{"no audience", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Audience, c.InsecureAnyAudience = "", true }, "Sessions"},
		{"any issuer, one of our own", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.InsecureAnyIssuer = true }, ""},
		{"any audience, one of our own", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.InsecureAnyAudience = true }, ""},
		{"all at once", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			*s = jwtgate.SessionConfig{RefreshTTL: -1, SessionTTL: -1, Timeout: -1, ReuseWindow: -1, MaxSessions: -2, Jitter: -1, Keys: [][]byte{[]byte("hunter2")}}
			c.Issuer = ""
		}, "Issuer Sessions.Jitter Sessions.Keys Sessions.MaxSessions Sessions.RefreshTTL Sessions.ReuseWindow Sessions.SessionTTL Sessions.Subject Sessions.Timeout"},
	} {
		config := jwtgate.Config{Issuer: serverIssuer, Audience: serverAudience, Keys: keys.HS256(signingSecret)}
		sessions := jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }}
		config.Sessions = &sessions
		row.change(&config, &sessions)
		auth, err := jwtgate.New(config)
		auth.Close()
		if got := fieldsOf(err); got != row.want {
			t.Errorf("%s: wrong are %q; want %q: %v", row.name, got, row.want, err)
		}
		if err != nil && (auth != nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), string(long[:31]))) {
			t.Errorf("%s: got an Auth, or the secret: %v", row.name, err)
		}
	}
}

// fieldsOf returns the fields of the ConfigErrors that err joins, in alphabetical order.
func fieldsOf(err error) string {
	var fields []string
	var collect func(error)
	collect = func(err error) {
		var joined interface{ Unwrap() []error }
		if mistake := (*jwtgate.ConfigError)(nil); errors.As(err, &joined) {
			for _, e := range joined.Unwrap() {
				collect(e)
			}
		} else if errors.As(err, &mistake) && mistake.Reason != "" {
			fields = append(fields, mistake.Field)
		} else if err != nil {
			fields = append(fields, "nothing named: "+err.Error())
		}
	}
	collect(err)
	return sortedWords(fields)
}

// TestRandomRefreshSecret checks that each Auth without Sessions.Keys makes a secret of its own.
func TestRandomRefreshSecret(t *testing.T) {
	t.Parallel()
	withoutSecret := func(c *jwtgate.Config) {
		c.Keys, c.Sessions.Keys = keys.ES256(p256Key), nil
		if store, faulty := c.Sessions.Store.(*faultyStore); faulty {
			c.Sessions.Store = store.Store
		}
	}
	s := newTestServer(t, withoutSecret)
	tokens := s.signIn("alice")
	if got := s.another(withoutSecret).refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("another Auth: got %s; want %s", got, refreshInvalid)
	}
	if got := s.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("got %s; want 200", got)
	}
}

// TestSessionShorterThanASecond checks that New refuses a SessionTTL below one second, because
// the times in tokens are whole seconds.
func TestSessionShorterThanASecond(t *testing.T) {
	t.Parallel()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer: serverIssuer, Audience: serverAudience, Keys: keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject:    func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
			SessionTTL: 500 * time.Millisecond,
		},
	})
	auth.Close()
	if got := fieldsOf(err); got != "Sessions.SessionTTL" {
		t.Errorf("wrong are %q", got)
	}
}

// TestSessionConfigIsCopied checks that the caller may change its SessionConfig and secrets
// after New.
func TestSessionConfigIsCopied(t *testing.T) {
	t.Parallel()
	secret := bytes.Clone(refreshSecret)
	sessions := &jwtgate.SessionConfig{}
	s := newTestServer(t, func(c *jwtgate.Config) {
		*sessions = *c.Sessions
		sessions.Keys = [][]byte{secret}
		c.Sessions = sessions
	})
	tokens := s.login("alice")
	clear(secret)
	*sessions = jwtgate.SessionConfig{}
	if got := s.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("got %s", got)
	}
	if got := s.authenticate(s.login("bob").Access); got != "bob" {
		t.Errorf("got %s", got)
	}
}

// TestRefreshKeyDerived checks that without Sessions.Keys, the key of refresh tokens is derived
// from the HMAC signing key, so that a process with the same configuration accepts them.
func TestRefreshKeyDerived(t *testing.T) {
	t.Parallel()
	derived := func(c *jwtgate.Config) { c.Sessions.Keys = nil }
	s := newTestServer(t, derived)
	tokens := s.login("alice")
	if got := s.another(derived).refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("with the same key: got %s", got)
	}
	if got := s.another(derived, func(c *jwtgate.Config) { c.Keys = keys.HS256(refreshSecret) }).refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("with another key: got %s", got)
	}
	if got := s.another(func(c *jwtgate.Config) { c.Sessions.Keys = [][]byte{signingSecret} }).refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("with the same key, given as one for refresh tokens: got %s", got)
	}
}
