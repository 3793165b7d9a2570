package providers

import "testing"

func TestGoogle(t *testing.T) {
	t.Parallel()
	p := &provider{
		metadata:     "https://accounts.google.com/.well-known/openid-configuration",
		jwks:         "https://www.googleapis.com/oauth2/v3/certs",
		cacheControl: "public, max-age=19800, must-revalidate, no-transform",
		jwk: []string{
			`{"kty":"RSA","alg":"RS256","use":"sig","kid":"c8ab71530972bba20b49f78a09c9852c43ff9118"}`,
			`{"kty":"RSA","alg":"RS256","use":"sig","kid":"4feb44f0f7a7e27c7c403379aff20af5c8cf52dc"}`,
		},
		header: `{"alg":"RS256","kid":"c8ab71530972bba20b49f78a09c9852c43ff9118","typ":"JWT"}`,
		claims: `{"iss":"https://accounts.google.com","azp":"1234-web.apps.googleusercontent.com","aud":"1234-web.apps.googleusercontent.com","sub":"110169484474386276334",
			"at_hash":"h","hd":"example.com","email":"alice@example.com","email_verified":true,"iat":1800000000,"exp":1800003600,"nonce":"n"}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, google()), []row{
		{"ID token", "", "", "110169484474386276334 [] []"},
		{"ID token of the iOS client", "", `{"aud":"1234-ios.apps.googleusercontent.com","azp":"1234-ios.apps.googleusercontent.com"}`, "110169484474386276334 [] []"},
		{"ID token for the web client, obtained by an Android client", "", `{"azp":"1234-android.apps.googleusercontent.com","at_hash":null,"nonce":null}`, "110169484474386276334 [] []"},
		{"ID token of another client", "", `{"aud":"5678.apps.googleusercontent.com","azp":"5678.apps.googleusercontent.com"}`, invalid},
		{"ID token of another client, obtained by the web client", "", `{"aud":"5678.apps.googleusercontent.com"}`, invalid},
		{"security event token", "", `{"sub":null,"events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{"subject":{"sub":"110169484474386276334"}}}}`, invalid},
		{"security event token with a subject", "", `{"events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{}}}`, invalid},
	})
}
