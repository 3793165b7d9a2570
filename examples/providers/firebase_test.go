package providers

import "testing"

func TestFirebase(t *testing.T) {
	t.Parallel()
	p := &provider{
		metadata:     "https://securetoken.google.com/shop-1234/.well-known/openid-configuration",
		jwks:         "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
		cacheControl: "public, max-age=20000, must-revalidate, no-transform",
		jwk:          []string{`{"kty":"RSA","alg":"RS256","use":"sig","kid":"de20095ddbb3d1a6cbf4d9cb6f3ac0b64ac1e9bc"}`},
		header:       `{"alg":"RS256","kid":"de20095ddbb3d1a6cbf4d9cb6f3ac0b64ac1e9bc","typ":"JWT"}`,
		claims: `{"iss":"https://securetoken.google.com/shop-1234","aud":"shop-1234","auth_time":1800000000,"user_id":"u1","sub":"u1","iat":1800000000,"exp":1800003600,
			"roles":["admin"],"email":"alice@example.com","email_verified":true,"firebase":{"identities":{"email":["alice@example.com"]},"sign_in_provider":"password"}}`,
	}
	p.start(t)
	// All projects share the keys.
	p.test(t, withProviders(secret, firebase()), []row{
		{"ID token", "", "", "u1 [admin] []"},
		{"ID token of an anonymous user", "", `{"roles":null,"email":null,"email_verified":null,"provider_id":"anonymous","firebase":{"identities":{},"sign_in_provider":"anonymous"}}`, "u1 [] []"},
		{"ID token with a nonce", "", `{"nonce":"n"}`, "u1 [admin] []"},
		{"ID token of another project", "", `{"iss":"https://securetoken.google.com/other-5678","aud":"other-5678"}`, invalid},
		{"ID token for another project", "", `{"aud":"other-5678"}`, invalid},
		{"session cookie", "", `{"iss":"https://session.firebase.google.com/shop-1234"}`, invalid},
	})
}
