package jwtgate_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestResourceMetadata(t *testing.T) {
	t.Parallel()
	trusted := []jwtgate.TrustedIssuer{
		{Name: "https://idp.example/realms/shop", Keys: keys.Remote{}},
		{Match: func(string) bool { return true }, Keys: keys.ES256(p256Key)},
		{Name: "https://b.example", Keys: keys.ES256(p256Key)},
	}
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   string
	}{
		{"our own tokens", func(*jwtgate.Config) {}, `{"resource":"https://api.example.com/mcp","bearer_methods_supported":["header"]}`},
		{"our own tokens, and a public key", func(c *jwtgate.Config) { c.Keys = keys.Sources{keys.HS256(secret), keys.ES256(&p256Key.PublicKey)} }, `{"resource":"https://api.example.com/mcp","bearer_methods_supported":["header"]}`},
		{"trusted issuers", func(c *jwtgate.Config) { c.Trusted = trusted }, `{"resource":"https://api.example.com/mcp","authorization_servers":["https://idp.example/realms/shop","https://b.example"],"bearer_methods_supported":["header"]}`},
		{"a provider's tokens", func(c *jwtgate.Config) { c.Keys = keys.Remote{} }, `{"resource":"https://api.example.com/mcp","authorization_servers":["https://auth.example.com"],"bearer_methods_supported":["header"]}`},
		{"a provider's tokens by a public key", func(c *jwtgate.Config) { c.Keys = keys.ES256(&p256Key.PublicKey) }, `{"resource":"https://api.example.com/mcp","authorization_servers":["https://auth.example.com"],"bearer_methods_supported":["header"]}`},
		{"any issuer by a public key", func(c *jwtgate.Config) { c.Keys, c.InsecureAnyIssuer = keys.ES256(&p256Key.PublicKey), true }, `{"resource":"https://api.example.com/mcp","bearer_methods_supported":["header"]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Resource = "https://api.example.com/mcp" }, row.change)
			t.Cleanup(auth.Close)
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				// The host of the request has no say.
				res := auth.ResourceMetadata(t.Context(), jwtgate.Request{Method: method, Host: "evil.example"})
				if res.Status != http.StatusOK || string(res.Body) != row.want || field(res, "Content-Type") != "application/json" {
					t.Errorf("%s: got %d %q %s; want %s", method, res.Status, res.Header, res.Body, row.want)
				}
			}
			if res := auth.ResourceMetadata(t.Context(), jwtgate.Request{Method: http.MethodPost}); res.Status != http.StatusMethodNotAllowed || field(res, "Allow") != "GET, HEAD" {
				t.Errorf("POST: got %d %q; want 405", res.Status, res.Header)
			}
		})
	}
	var none *jwtgate.Auth
	if res := none.ResourceMetadata(t.Context(), jwtgate.Request{Method: http.MethodGet}); res.Status != http.StatusServiceUnavailable {
		t.Errorf("nil: got %d; want 503", res.Status)
	}
	plain := newVerifier(t, keys.HS256(secret))
	if res := plain.ResourceMetadata(t.Context(), jwtgate.Request{Method: http.MethodGet}); res.Status != http.StatusNotFound || !strings.Contains(string(res.Body), `"code":"not_found"`) || strings.Contains(string(res.Body), "session") {
		t.Errorf("no resource: got %d %s; want 404", res.Status, res.Body)
	}
}

// TestResourceChallenge checks the address of the metadata (RFC 9728 §3.1) in the
// challenges of a server, and that only 401s have it.
func TestResourceChallenge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ resource, want string }{
		{"https://api.example.com", "https://api.example.com/.well-known/oauth-protected-resource"},
		{"https://api.example.com/", "https://api.example.com/.well-known/oauth-protected-resource"},
		{"HTTPS://api.example.com/mcp", "https://api.example.com/.well-known/oauth-protected-resource/mcp"},
		{"https://api.example.com:8443/mcp", "https://api.example.com:8443/.well-known/oauth-protected-resource/mcp"},
		{"https://api.example.com/a/b/", "https://api.example.com/.well-known/oauth-protected-resource/a/b/"},
		{"https://api.example.com/a%2Fb", "https://api.example.com/.well-known/oauth-protected-resource/a%2Fb"},
		{"https://api.example.com/a?k=v", "https://api.example.com/.well-known/oauth-protected-resource/a?k=v"},
		{"https://api.example.com/~a", "https://api.example.com/.well-known/oauth-protected-resource/~a"},
		{"https://api.example.com?k=v", "https://api.example.com/.well-known/oauth-protected-resource?k=v"},
		{"https://api.example.com/?k=v", "https://api.example.com/.well-known/oauth-protected-resource?k=v"},
		{"http://localhost:8080", "http://localhost:8080/.well-known/oauth-protected-resource"},
		{"http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp"},
		{"http://[::1]:8080", "http://[::1]:8080/.well-known/oauth-protected-resource"},
	} {
		t.Run(row.resource, func(t *testing.T) {
			t.Parallel()
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Resource = row.resource })
			parameter := `resource_metadata="` + row.want + `"`
			for _, test := range []struct {
				name  string
				req   jwtgate.Request
				rules []jwtgate.Rule
				want  string
			}{
				{"no token", jwtgate.Request{Method: "GET", Host: "evil.example"}, nil, `Bearer ` + parameter},
				{"bad token", withBearer("garbage"), nil, `Bearer error="invalid_token", ` + parameter},
				{"expired token", withBearer(signed(t, claims("exp", at(-1)))), nil, `Bearer error="invalid_token", ` + parameter},
				{"old login", withBearer(signed(t, claims())), []jwtgate.Rule{jwtgate.RecentLogin(0)}, `Bearer error="insufficient_user_authentication", max_age="0", ` + parameter},
				{"malformed", withBearer("a b"), nil, `Bearer error="invalid_request"`},
				{"no role", withBearer(signed(t, claims())), []jwtgate.Rule{jwtgate.Role("admin")}, `Bearer error="insufficient_scope"`},
			} {
				if got := field(auth.Decide(t.Context(), test.req, test.rules...).Response, "WWW-Authenticate"); got != test.want {
					t.Errorf("%s: got challenge %q; want %q", test.name, got, test.want)
				}
			}
		})
	}
}

// TestResourceChallengeOfApplication checks that a refusal of the application stays as
// it is for its next use.
func TestResourceChallengeOfApplication(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Resource = "https://api.example.com" })
	own := &jwtgate.Refusal{Status: http.StatusUnauthorized, Code: "own", Challenge: "Bearer"}
	basic := &jwtgate.Refusal{Status: http.StatusUnauthorized, Code: "own", Challenge: "Basic"}
	for _, row := range []struct {
		refusal *jwtgate.Refusal
		want    string
	}{
		{own, `Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"`},
		{own, `Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"`},
		{basic, "Basic"},
	} {
		rule := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return false, row.refusal })
		if got := field(auth.Decide(t.Context(), withBearer(signed(t, claims())), rule).Response, "WWW-Authenticate"); got != row.want {
			t.Errorf("got challenge %q; want %q", got, row.want)
		}
	}
}

func TestResourceMistakes(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{
		"api.example.com", "/mcp", "https:", "https://", "https:///mcp", "http://api.example.com", "ftp://api.example.com", "urn:x",
		"https://user@api.example.com", "https://api.example.com#a", "https://api.example.com/#", `https://api.example.com/"`, "https://api.example.com/a b",
		"https://api.example.com/\n", "https://äpi.example.com", "http://localhost.example.com", "https://api.example.com/\\",
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), Resource: resource})
		if got := fields(err); !slices.Equal(got, []string{"Resource"}) {
			t.Errorf("%q: got mistakes in %q, want one in Resource: %v", resource, got, err)
		}
	}
}
