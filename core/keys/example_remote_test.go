package keys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A server accepts its own tokens, and those of an identity provider, whose keys are
// found by the provider's name.
func ExampleRemote() {
	provider := newProvider()
	defer provider.Close()

	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte("at least 32 bytes, from a secret store")),
		Trusted: []jwtgate.TrustedIssuer{{
			Name:       provider.URL, // exactly as in its metadata
			Keys:       keys.Remote{},
			RoleClaims: []string{"/realm_access/roles"}, // where its tokens have the roles
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

// A server that signs no tokens needs only the keys of the provider.
func ExampleRemote_alone() {
	provider := newProvider()
	defer provider.Close()

	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   provider.URL,
		Audience: "https://api.example.com",
		Keys: keys.Remote{
			URL:      provider.URL + "/keys", // for a provider without discovery
			Cooldown: 30 * time.Second,       // between two fetches because of unknown keys
			MaxStale: 6 * time.Hour,          // how long the provider may be down
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

// A provider moves from a secret to key pairs. Tokens of both kinds are accepted.
func ExampleSources() {
	provider := newProvider()
	defer provider.Close()
	secret := []byte("the provider's secret, 32 bytes or more")

	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   provider.URL,
		Audience: "https://api.example.com",
		Keys:     keys.Sources{keys.Remote{}, keys.HS256(secret)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	bySecret := provider
	bySecret.key = keys.HS256(secret)
	for _, token := range []string{
		provider.token("https://api.example.com"),
		bySecret.token("https://api.example.com"),
	} {
		d := auth.Decide(context.Background(), jwtgate.Request{
			Method: http.MethodGet,
			Header: http.Header{"Authorization": {"Bearer " + token}},
		})
		fmt.Println(d.Identity.Subject())
	}
	// Output:
	// alice
	// alice
}

// In a cluster or in a compose file, the server reaches the provider under another name
// than the browsers, and without TLS.
func ExampleRemote_inside() {
	inside := keys.Remote{
		DiscoveryURL: "http://keycloak:8080/realms/shop/.well-known/openid-configuration",
		InsecureHTTP: true, // anyone on this network can replace the keys
	}
	_, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://login.example.com/realms/shop", // in the tokens and in the document
		Audience: "https://api.example.com",
		Keys:     inside,
	})
	fmt.Println(err)

	inside.InsecureHTTP = false
	_, err = jwtgate.New(jwtgate.Config{
		Issuer:   "https://login.example.com/realms/shop",
		Audience: "https://api.example.com",
		Keys:     inside,
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// jwtgate: Config.Keys: DiscoveryURL is not an https URL (http is allowed for this machine, and for others with InsecureHTTP): set it to the address of the issuer's metadata
}

// An idProvider is a small identity provider.
type idProvider struct {
	*httptest.Server

	key keys.Key
}

func newProvider() idProvider {
	mux := http.NewServeMux()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	provider := idProvider{httptest.NewServer(mux), keys.ES256(key)}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, provider.URL, provider.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(provider.auth("any").JWKS(r.Context(), jwtgate.Request{Method: r.Method}).Body)
	})
	return provider
}

func (p idProvider) auth(audience string) *jwtgate.Auth {
	auth, err := jwtgate.New(jwtgate.Config{Issuer: p.URL, Audience: audience, Keys: p.key})
	if err != nil {
		log.Fatal(err)
	}
	return auth
}

func (p idProvider) token(audience string) string {
	access, err := p.auth(audience).Issue(context.Background(), jwtgate.Grant{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	return access.Token
}
