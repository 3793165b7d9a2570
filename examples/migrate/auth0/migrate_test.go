package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
)

func TestREADME(t *testing.T) {
	readme.Check(t, "WithCredentialsOptional", "WithValidateOnOptions", "WithErrorHandler", "WithTokenExtractor", "WithExclusionUrls", "validator.WithCustomClaims", "validator.WithAllowedClockSkew", "jwks.WithCustomJWKSURI", "jwks.WithCustomClient", "jwks.WithSynchronousRefresh")
}

// TestMigration checks that both applications accept the same tokens, and documents
// where they differ.
func TestMigration(t *testing.T) {
	const issuer, audience = "https://shop.eu.auth0.com/", "https://api.example.com"
	shop, stranger := must(newTenant(issuer, audience)), must(newTenant(issuer, audience))
	older := must(Old(issuer, audience, inProcess{shop}))
	auth := must(NewAuth(issuer, audience, inProcess{shop}))
	t.Cleanup(auth.Close)
	newer := New(auth)

	good := must(shop.token(nil))
	with := func(name string, value any) string { return must(shop.token(map[string]any{name: value})) }
	now := time.Now()
	for _, row := range []struct {
		name  string
		token string
		path  string
		old   int
		new   int
	}{
		{"good", good, "/api/hello", 200, 200},
		{"good, with the handler of the old application", good, "/api/profile", 200, 200},
		{"the scope", good, "/api/messages", 200, 200},
		{"no such scope", with("scope", "openid profile"), "/api/messages", 403, 403},
		{"the role", good, "/api/admin", 200, 200},
		{"no such role", with("https://example.com/roles", nil), "/api/admin", 403, 403},
		{"claims that do not validate", with("scope", nil), "/api/hello", 401, 401},
		{"one audience", with("aud", audience), "/api/hello", 200, 200},
		{"another audience", with("aud", "https://other.example.com"), "/api/hello", 401, 401},
		{"another issuer", with("iss", "https://other.eu.auth0.com/"), "/api/hello", 401, 401},
		{"the issuer without the slash", with("iss", "https://shop.eu.auth0.com"), "/api/hello", 401, 401},
		{"another tenant's key", must(stranger.token(nil)), "/api/hello", 401, 401},
		{"an ID token", with("aud", "client-of-the-page"), "/api/hello", 401, 401},
		{"expired an hour ago", with("exp", now.Add(-time.Hour).Unix()), "/api/hello", 401, 401},
		{"a clock that is ahead", with("iat", now.Add(30*time.Second).Unix()), "/api/hello", 200, 200},

		// These differ on purpose.
		{"no token", "", "/api/hello", 400, 401},
		{"without exp", with("exp", nil), "/api/hello", 200, 401},
		{"without sub", with("sub", nil), "/api/hello", 200, 401},
		{"valid for a year", with("exp", now.AddDate(1, 0, 0).Unix()), "/api/hello", 200, 401},
		{"expired 30 seconds ago", with("exp", now.Add(-30*time.Second).Unix()), "/api/hello", 200, 401},
	} {
		oldStatus, oldBody := rollout.Get(older, row.path, row.token)
		newStatus, newBody := rollout.Get(newer, row.path, row.token)
		if oldStatus != row.old || newStatus != row.new {
			t.Errorf("%s: got %d from the old and %d from the new application; want %d and %d", row.name, oldStatus, newStatus, row.old, row.new)
		}
		if row.old == http.StatusOK && row.new == http.StatusOK && oldBody != newBody {
			t.Errorf("%s: got %q from the old and %q from the new application; want the same", row.name, oldBody, newBody)
		}
	}
}

// inProcess is a transport that calls the tenant directly.
type inProcess struct{ tenant *tenant }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.tenant.ServeHTTP(w, r)
	return w.Result(), nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
