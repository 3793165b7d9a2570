package providers

import "testing"

func TestCognito(t *testing.T) {
	t.Parallel()
	const pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
	p := &provider{
		metadata: pool + "/.well-known/openid-configuration",
		jwks:     pool + "/.well-known/jwks.json",
		jwk: []string{ // ID tokens have a key of their own
			`{"alg":"RS256","kty":"RSA","use":"sig","kid":"1234access="}`,
			`{"alg":"RS256","kty":"RSA","use":"sig","kid":"5678id="}`,
		},
		header: `{"kid":"1234access=","alg":"RS256"}`,
		claims: `{"sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","cognito:groups":["admin"],"iss":"` + pool + `","version":2,"client_id":"1webclient","origin_jti":"o","event_id":"e",
			"token_use":"access","scope":"openid orders/read","auth_time":1800000000,"exp":1800003600,"iat":1800000000,"jti":"j","username":"alice"}`,
	}
	p.start(t)
	const alice = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee [admin] [openid orders/read]"
	p.test(t, withProviders(secret, cognito()), []row{
		{"access token", "", "", alice},
		{"access token of the mobile client", "", `{"client_id":"2mobileclient"}`, alice},
		{"access token of a machine", "", `{"sub":"1webclient","cognito:groups":null,"username":null,"scope":"orders/read"}`, "1webclient [] [orders/read]"},
		{"ID token", `{"kid":"5678id="}`, `{"token_use":"id","client_id":null,"scope":null,"aud":"1webclient","at_hash":"h","cognito:username":"alice"}`, invalid},
		{"ID token by token_use alone", `{"kid":"5678id="}`, `{"token_use":"id"}`, invalid},
		{"of another client", "", `{"client_id":"3otherclient"}`, invalid},
		{"of another client, with our client as aud", "", `{"client_id":"3otherclient","aud":"1webclient"}`, invalid},
		{"of another user pool", "", `{"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"}`, invalid},
	})
}
