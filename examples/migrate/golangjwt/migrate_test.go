package main

import (
	"testing"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
)

func TestREADME(t *testing.T) {
	readme.Check(t, "Keyfunc", "WithValidMethods", "WithIssuer", "WithAudience", "WithAllAudiences", "WithSubject", "WithLeeway", "WithExpirationRequired", "WithNotBeforeRequired", "WithIssuedAt", "WithTimeFunc", "WithStrictDecoding", "WithPaddingAllowed", "WithoutClaimsValidation", "WithJSONNumber")
}

func TestMigration(t *testing.T) {
	rollout.Migration{
		Old:      Old,
		NewAuth:  NewAuth,
		New:      New,
		Lifetime: lifetime,
		Subject:  "alice",
	}.Run(t)
}
