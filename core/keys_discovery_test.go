package jwtgate_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

const metadata = `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys","response_types_supported":["code"]}`

func TestDiscovery(t *testing.T) {
	for _, row := range []struct {
		name, issuer, at, body string
		cause                  string // of the failure; empty for a success
	}{
		{"plain", provider, provider + "/.well-known/openid-configuration", metadata, ""},
		{"slash at the end", provider + "/", provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example/","jwks_uri":"https://idp.example/keys"}`, ""},
		{"tenant", provider + "/a/b", provider + "/a/b/.well-known/openid-configuration", `{"issuer":"https://idp.example/a/b","jwks_uri":"https://idp.example/keys"}`, ""},
		{"keys on another host", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":"https://cdn.example/keys"}`, ""},
		{"this machine", "http://127.0.0.1:9", "http://127.0.0.1:9/.well-known/openid-configuration", `{"issuer":"http://127.0.0.1:9","jwks_uri":"http://127.0.0.1:9/keys"}`, ""},

		{"another issuer", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://evil.example","jwks_uri":"https://idp.example/keys"}`, `is "https://evil.example" instead of "https://idp.example"`},
		{"a slash more", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example/","jwks_uri":"https://idp.example/keys"}`, `is "https://idp.example/" instead of "https://idp.example"`},
		{"a slash less", provider + "/", provider + "/.well-known/openid-configuration", metadata, `is "https://idp.example" instead of "https://idp.example/"`},
		{"another case", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://IDP.example","jwks_uri":"https://idp.example/keys"}`, `is "https://IDP.example" instead of`},
		{"no issuer", provider, provider + "/.well-known/openid-configuration", `{"jwks_uri":"https://idp.example/keys"}`, `is "" instead of`},
		{"two issuers", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}`, `not a JSON object`},
		{"no jwks_uri", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example"}`, `jwks_uri of the metadata document is not an https URL`},
		{"jwks_uri an array", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":["https://idp.example/keys"]}`, `jwks_uri of the metadata document is not an https URL`},
		{"jwks_uri relative", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":"/keys"}`, `jwks_uri of the metadata document is not an https URL`},
		{"jwks_uri over plain HTTP", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":"http://idp.example/keys"}`, `jwks_uri of the metadata document is not an https URL`},
		{"jwks_uri on this machine", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":"http://127.0.0.1:9/keys"}`, `jwks_uri of the metadata document is not an https URL`},
		{"jwks_uri with a user", provider, provider + "/.well-known/openid-configuration", `{"issuer":"https://idp.example","jwks_uri":"https://u:p@idp.example/keys"}`, `jwks_uri of the metadata document has user information`},
		{"HTML", provider, provider + "/.well-known/openid-configuration", `<html></html>`, `not a JSON object`},
		{"an array", provider, provider + "/.well-known/openid-configuration", `[` + metadata + `]`, `not a JSON object`},
		{"something after it", provider, provider + "/.well-known/openid-configuration", metadata + metadata, `not a JSON object`},
		{"elsewhere", provider, provider + "/openid-configuration", metadata, `the status is not 200: 404`},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := setOf(t, es256("a"))
				web := newWeb(map[string]page{row.at: {body: row.body}, providerSet: good, "https://cdn.example/keys": good, "http://127.0.0.1:9/keys": good, "http://idp.example/keys": good})
				d, want := &diary{}, accepted
				auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
					c.Observers = observing(d.write)
					c.Trusted = []jwtgate.TrustedIssuer{{Name: row.issuer, Keys: keys.Remote{Transport: web}}}
				})
				defer auth.Close()
				if row.cause != "" {
					want = jwtgate.CodeUnavailable
				}
				decide(t, auth, withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","kid":"a"}`, claims("iss", strconv.Quote(row.issuer)))), want)
				synctest.Wait()
				for _, e := range d.events {
					if row.cause != "" && !strings.Contains(e.Err.Error(), row.cause) {
						t.Errorf("got %v, want the cause %q", e.Err, row.cause)
					}
				}
				for _, address := range web.asked {
					if row.cause != "" && !strings.HasSuffix(address, "/.well-known/openid-configuration") {
						t.Errorf("asked for %q without a metadata document; want nothing", address)
					}
				}
			})
		})
	}
}

// The document can be at another address than the issuer's name, but it must have the
// name. With InsecureHTTP, both the document and the keys can be fetched over plain
// HTTP.
func TestDiscoveryURL(t *testing.T) {
	const (
		inside  = "http://keycloak:8080/realms/x/.well-known/openid-configuration"
		outside = "https://idp.internal/metadata"
		here    = "http://127.0.0.1:9/metadata"
	)
	for _, row := range []struct {
		name, at, body string
		insecure       bool
		want           jwtgate.Code
	}{
		{"another address", outside, metadata, false, accepted},
		{"another address, of another issuer", outside, `{"issuer":"https://idp.internal","jwks_uri":"https://idp.example/keys"}`, false, jwtgate.CodeUnavailable},
		{"another address, keys over plain HTTP", outside, `{"issuer":"https://idp.example","jwks_uri":"http://keycloak:8080/keys"}`, false, jwtgate.CodeUnavailable},
		{"another address, keys on this machine", outside, `{"issuer":"https://idp.example","jwks_uri":"http://127.0.0.1:9/keys"}`, false, jwtgate.CodeUnavailable},
		{"this machine", here, `{"issuer":"https://idp.example","jwks_uri":"http://127.0.0.1:9/keys"}`, false, accepted},
		{"this machine, keys over plain HTTP", here, `{"issuer":"https://idp.example","jwks_uri":"http://keycloak:8080/keys"}`, false, jwtgate.CodeUnavailable},
		{"plain HTTP", inside, `{"issuer":"https://idp.example","jwks_uri":"http://keycloak:8080/keys"}`, true, accepted},
		{"plain HTTP, keys over HTTPS", inside, metadata, true, accepted},
		{"plain HTTP, of another issuer", inside, `{"issuer":"http://keycloak:8080/realms/x","jwks_uri":"http://keycloak:8080/keys"}`, true, jwtgate.CodeUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := setOf(t, es256("a"))
				web := newWeb(map[string]page{row.at: {body: row.body}, providerSet: good, "http://keycloak:8080/keys": good, "http://127.0.0.1:9/keys": good})
				d := &diary{}
				auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
					c.Observers = observing(d.write)
					c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: keys.Remote{DiscoveryURL: row.at, InsecureHTTP: row.insecure, Transport: web}}}
				})
				defer auth.Close()
				decide(t, auth, theirs(t, "a"), row.want)
				synctest.Wait()
				for _, e := range d.events {
					if strings.HasSuffix(row.name, "of another issuer") && !strings.Contains(e.Err.Error(), `instead of "https://idp.example"`) {
						t.Errorf("got %v, want both names", e.Err)
					}
				}
			})
		})
	}
}

// The document is fetched once a day, and again when the fetch of the keys fails.
func TestDiscoveryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const document = provider + "/.well-known/openid-configuration"
		web := newWeb(map[string]page{document: {body: metadata}, providerSet: setOf(t, es256("a"))})
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
			c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: keys.Remote{Transport: web}}}
		})
		defer auth.Close()
		for range 4 * 24 {
			decide(t, auth, theirs(t, "a"), accepted)
			synctest.Wait()
			time.Sleep(15 * time.Minute)
		}
		if keys, documents := web.fetches(providerSet), web.fetches(document); keys != 4*24 || documents != 1 {
			t.Errorf("got %d fetches of keys and %d of the document in a day, want 96 and 1", keys, documents)
		}
		decide(t, auth, theirs(t, "a"), accepted)
		synctest.Wait()
		if got := web.fetches(document); got != 2 {
			t.Errorf("got %d fetches of the document after a day, want 2", got)
		}

		// The keys move to another address.
		web.set(providerSet, page{status: 404})
		web.set(provider+"/moved", setOf(t, es256("b")))
		web.set(document, page{body: `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/moved"}`})
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "b"), accepted)
	})
}
