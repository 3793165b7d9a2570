package main

import (
	"testing"

	"github.com/go-chi/jwtauth/v5"

	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
)

func TestREADME(t *testing.T) {
	readme.Check(t, "New", "Verifier", "Authenticator", "Verify", "Encode", "Decode", "FromContext", "NewContext", "SetExpiry", "TokenFromHeader", "TokenFromCookie", "TokenFromQuery")
}

func TestMigration(t *testing.T) {
	rollout.Migration{
		Old:      Old,
		NewAuth:  NewAuth,
		New:      New,
		Lifetime: lifetime,
		Subject:  "123",
	}.Run(t)
}

// TestTokenWithoutExpiry checks that the tokens in the documentation of jwtauth, which
// never expire, are refused.
func TestTokenWithoutExpiry(t *testing.T) {
	secret := []byte("a secret of at least 32 bytes, from a generator")
	auth, err := NewAuth(keys.HS256(secret))
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := jwtauth.New("HS256", secret, nil).Encode(map[string]any{"user_id": 123})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := rollout.Get(Old(secret), "/api/hello", token); got != 200 {
		t.Errorf("got %d from the old application; want 200", got)
	}
	if got, _ := rollout.Get(New(auth), "/api/hello", token); got != 401 {
		t.Errorf("got %d from the new application; want 401", got)
	}
}
