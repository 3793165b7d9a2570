package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A resource server beside its own tokens accepts those of an identity provider,
// whose keys it finds by the provider's name.
func ExampleRemoteKeys() {
	provider := newProvider()
	defer provider.Close()

	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     jwtgate.HS256([]byte("at least 32 bytes, from a secret store")),
		Trusted: []jwtgate.Issuer{{
			Name:      provider.URL, // as in its metadata, to the letter
			Keys:      jwtgate.RemoteKeys{},
			RolesPath: []string{"realm_access", "roles"}, // where its tokens have them
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	d := auth.Decide(context.Background(), jwtgate.Request{
		Method: http.MethodGet,
		Header: http.Header{"Authorization": {"Bearer " + provider.token("https://api.example.com")}},
	})
	fmt.Println(d.Identity.Subject(), "of the provider:", d.Identity.Issuer() == provider.URL)

	d = auth.Decide(context.Background(), jwtgate.Request{
		Method: http.MethodGet,
		Header: http.Header{"Authorization": {"Bearer " + provider.token("https://another.example.com")}},
	})
	fmt.Println(d.Response.Status, d.Refusal.Code)
	// Output:
	// alice of the provider: true
	// 401 token_invalid
}

// A server that signs no tokens needs no keys but the provider's.
func ExampleRemoteKeys_alone() {
	provider := newProvider()
	defer provider.Close()

	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   provider.URL,
		Audience: "https://api.example.com",
		Keys: jwtgate.RemoteKeys{
			URL:      provider.URL + "/keys", // where there is no discovery
			Cooldown: 30 * time.Second,       // a flood of tokens by unknown keys asks no sooner
			MaxStale: 6 * time.Hour,          // for as long, the provider may be down
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	d := auth.Decide(context.Background(), jwtgate.Request{
		Method: http.MethodGet,
		Header: http.Header{"Authorization": {"Bearer " + provider.token("https://api.example.com")}},
	})
	fmt.Println(d.Identity.Subject())
	// Output:
	// alice
}

// idProvider stands in for an identity provider.
type idProvider struct{ *httptest.Server }

func newProvider() idProvider {
	mux := http.NewServeMux()
	provider := idProvider{httptest.NewServer(mux)}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, provider.URL, provider.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(provider.auth("any").JWKS(r.Context(), jwtgate.Request{Method: r.Method}).Body)
	})
	return provider
}

func (p idProvider) auth(audience string) *jwtgate.Auth {
	return must(jwtgate.New(jwtgate.Config{Issuer: p.URL, Audience: audience, Keys: jwtgate.ES256(p256Key)}))
}

func (p idProvider) token(audience string) string {
	return must(p.auth(audience).Issue(context.Background(), jwtgate.Grant{Subject: "alice"})).Token
}
