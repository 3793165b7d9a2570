package providers

import "testing"

func newKeycloak(t *testing.T, realm, keys string) *provider {
	t.Helper()
	p := &provider{
		metadata:     realm + "/.well-known/openid-configuration",
		jwks:         keys,
		cacheControl: "no-cache",
		jwk: []string{
			`{"kid":"nnniBrxL0qhG79pkF3ccQjl0jDmxKrYYy2YLlEe1sQs","kty":"RSA","alg":"RS256","use":"sig"}`,
			`{"kid":"p0sC7aQm2yVb9xRk5tWf1zJd8uHgNe4oLiT3qSvXcBw","kty":"RSA","alg":"RSA-OAEP","use":"enc"}`,
		},
		header: `{"alg":"RS256","typ":"JWT","kid":"nnniBrxL0qhG79pkF3ccQjl0jDmxKrYYy2YLlEe1sQs"}`,
		claims: `{"exp":1800000300,"iat":1800000000,"jti":"j","iss":"` + realm + `","aud":["shop-api","account"],"sub":"36fa0f91-f94d-4a0c-afed-6b7d952e47da","typ":"Bearer",
			"azp":"shop-web","sid":"s","acr":"1","realm_access":{"roles":["user"]},"resource_access":{"shop-api":{"roles":["buyer"]},"account":{"roles":["view-profile"]}},
			"scope":"openid email","email_verified":true,"preferred_username":"alice"}`,
	}
	p.start(t)
	return p
}

func TestKeycloak(t *testing.T) {
	t.Parallel()
	const realm = "https://sso.example.com/realms/shop"
	const alice = "36fa0f91-f94d-4a0c-afed-6b7d952e47da [user buyer] [openid email]"
	p := newKeycloak(t, realm, realm+"/protocol/openid-connect/certs")
	p.test(t, withProviders(secret, keycloak()), []row{
		{"access token", "", "", alice},
		{"access token of version 24, with a nonce", "", `{"nonce":"n","session_state":"s"}`, alice},
		{"access token without scopes, with a nonce", "", `{"nonce":"n","scope":null}`, "36fa0f91-f94d-4a0c-afed-6b7d952e47da [user buyer] []"},
		{"access token without sub", "", `{"sub":null}`, invalid},
		{"ID token", "", `{"typ":"ID","aud":"shop-web","at_hash":"h","scope":null}`, invalid},
		{"ID token with the audience shop-api", "", `{"typ":"ID","scope":null}`, invalid},
		{"refresh token", "", `{"typ":"Refresh"}`, invalid},
		{"offline token", "", `{"typ":"Offline"}`, invalid},
		{"logout token", "", `{"typ":"Logout","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, invalid},
		{"logout token by its type alone", "", `{"typ":"Logout"}`, invalid},
		{"logout token by its event alone", "", `{"typ":null,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, invalid},
		{"for another client", "", `{"aud":"account"}`, invalid},
		{"without aud", "", `{"aud":null}`, invalid},
		{"of another realm", "", `{"iss":"https://sso.example.com/realms/other"}`, invalid},
	})
}

func TestKeycloakLightweight(t *testing.T) {
	t.Parallel()
	const realm = "https://sso.example.com/realms/shop"
	p := newKeycloak(t, realm, realm+"/protocol/openid-connect/certs")
	p.test(t, withProviders(secret, keycloakLightweight()), []row{
		{"access token", "", `{"sub":null,"resource_access":null,"preferred_username":null}`, " [user] [openid email]"},
		{"for another client", "", `{"sub":null,"aud":"account"}`, invalid},
		{"refresh token", "", `{"sub":null,"typ":"Refresh"}`, invalid},
	})
}

func TestKeycloakCompose(t *testing.T) {
	t.Parallel()
	p := newKeycloak(t, "http://localhost:8080/realms/shop", "http://keycloak:8080/realms/shop/protocol/openid-connect/certs")
	p.test(t, withProviders(secret, keycloakCompose()), []row{
		{"access token", "", "", "36fa0f91-f94d-4a0c-afed-6b7d952e47da [user buyer] [openid email]"},
		{"by the name in the network of the servers", "", `{"iss":"http://keycloak:8080/realms/shop"}`, invalid},
	})
}
