package examples

import (
	"crypto"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// inGo contains a function for each JOSE library of Go. The function verifies token
// with the JWK Set of a server and returns the subject.
var inGo = map[string]func(alg, token, set string) (subject string, err error){"go-jose": verifyByGoJOSE, "jwx": verifyByJWX}

func verifyByGoJOSE(alg, token, set string) (string, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(set), &keys); err != nil {
		return "", err
	}
	parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return "", err
	}
	var claims josejwt.Claims
	if err := parsed.Claims(keys, &claims); err != nil {
		return "", err
	}
	return claims.Subject, claims.Validate(josejwt.Expected{Issuer: "https://auth.example.test", AnyAudience: josejwt.Audience{robot}})
}

func verifyByJWX(_, token, set string) (string, error) {
	keys, err := jwk.Parse([]byte(set))
	if err != nil {
		return "", err
	}
	parsed, err := jwt.Parse([]byte(token), jwt.WithKeySet(keys), jwt.WithIssuer("https://auth.example.test"), jwt.WithAudience(robot))
	if err != nil {
		return "", err
	}
	subject, _ := parsed.Subject()
	return subject, nil
}

// TestMintedInGo checks that the servers accept tokens that these libraries have
// signed, with JWK Sets that these libraries have written.
func TestMintedInGo(t *testing.T) {
	var issuer string
	var set []byte
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": issuer, "jwks_uri": issuer + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	idp := httptest.NewServer(mux)
	t.Cleanup(idp.Close)
	issuer = idp.URL

	keys := map[string]crypto.Signer{
		"RS256": newRSA(t, 2048), "PS512": newRSA(t, 3072),
		"ES256": newECDSA(t, elliptic.P256()), "ES384": newECDSA(t, elliptic.P384()), "ES512": newECDSA(t, elliptic.P521()),
		"EdDSA": newEd25519(t),
	}
	for name, mint := range map[string]func(t *testing.T, issuer string, keys map[string]crypto.Signer) (set []byte, tokens map[string]string){"go-jose": mintByGoJOSE, "jwx": mintByJWX} {
		var tokens map[string]string
		set, tokens = mint(t, issuer, keys)
		for _, p := range startAll(t, "JWT_KEY="+secret, "OIDC_ISSUER="+issuer) {
			for alg, token := range tokens {
				if got := p.send(t, "GET", "/me", "", bearer(token)); got.status != http.StatusOK {
					t.Errorf("%s, %s of %s: %s", p.name, alg, name, got.text())
				}
				p.want(t, 401, "token_invalid", "GET", "/me", "", bearer(token[:len(token)-8]+"AAAAAAAA"))
			}
		}
	}
}

func mintByGoJOSE(t *testing.T, issuer string, keys map[string]crypto.Signer) ([]byte, map[string]string) {
	var set jose.JSONWebKeySet
	tokens := map[string]string{}
	for alg, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: alg, Algorithm: alg, Use: "sig"})
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: jose.JSONWebKey{Key: key, KeyID: alg}}, (&jose.SignerOptions{}).WithType("at+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := josejwt.Signed(signer).Claims(josejwt.Claims{
			Issuer: issuer, Subject: "carol", Audience: josejwt.Audience{robot}, Expiry: josejwt.NewNumericDate(time.Now().Add(time.Hour)),
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		tokens[alg] = token
	}
	return must[[]byte](t)(json.Marshal(set)), tokens
}

func mintByJWX(t *testing.T, issuer string, keys map[string]crypto.Signer) ([]byte, map[string]string) {
	set := jwk.NewSet()
	tokens := map[string]string{}
	for name, key := range keys {
		alg, ok := jwa.LookupSignatureAlgorithm(name)
		if !ok {
			t.Fatalf("jwx does not support %s", name)
		}
		private := must[jwk.Key](t)(jwk.Import(key))
		public := must[jwk.Key](t)(private.PublicKey())
		for _, k := range []jwk.Key{private, public} {
			if err := errors.Join(k.Set(jwk.KeyIDKey, name), k.Set(jwk.AlgorithmKey, alg)); err != nil {
				t.Fatal(err)
			}
		}
		if err := set.AddKey(public); err != nil {
			t.Fatal(err)
		}
		headers := jws.NewHeaders()
		if err := headers.Set(jws.TypeKey, "JWT"); err != nil {
			t.Fatal(err)
		}
		claims := must[jwt.Token](t)(jwt.NewBuilder().Issuer(issuer).Subject("carol").Audience([]string{robot}).Expiration(time.Now().Add(time.Hour)).Build())
		tokens[name] = string(must[[]byte](t)(jwt.Sign(claims, jwt.WithKey(alg, private, jws.WithProtectedHeaders(headers)))))
	}
	return must[[]byte](t)(json.Marshal(set)), tokens
}
