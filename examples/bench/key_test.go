package bench_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

const (
	issuer   = "https://auth.example.com"
	audience = "https://api.example.com"
	keyID    = "2026-05"
)

// algorithms are the algorithms that all contenders are measured with.
var algorithms = []string{"HS256", "RS256", "ES256", "EdDSA"}

// A key is a signing key in the types that the libraries need.
type key struct {
	algorithm string
	private   any // signs: the secret or the private key
	public    any // verifies: the secret or the public key
	own       keys.Key
}

// secret is a constant, so that a server process accepts its client's tokens.
var secret = []byte("signs the tokens of all benchmarks, and nothing else in the world")

var (
	hmacKey = sync.OnceValue(func() *key {
		return &key{"HS256", secret, secret, keys.HS256(secret).WithID(keyID)}
	})
	rsaKey = sync.OnceValue(func() *key {
		private := must(rsa.GenerateKey(rand.Reader, 2048))
		return &key{"RS256", private, &private.PublicKey, keys.RS256(private).WithID(keyID)}
	})
	ecdsaKey = sync.OnceValue(func() *key {
		private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		return &key{"ES256", private, &private.PublicKey, keys.ES256(private).WithID(keyID)}
	})
	ed25519Key = sync.OnceValue(func() *key {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		must(public, err)
		return &key{"EdDSA", private, public, keys.EdDSA(private).WithID(keyID)}
	})
)

func keyOf(algorithm string) *key {
	return map[string]func() *key{"HS256": hmacKey, "RS256": rsaKey, "ES256": ecdsaKey, "EdDSA": ed25519Key}[algorithm]()
}

// userClaims are the claims that an application adds to the registered ones.
type userClaims struct {
	SessionID string   `json:"sid"`
	AuthTime  int64    `json:"auth_time"`
	Roles     []string `json:"roles"`
	Scope     string   `json:"scope"`
	Tenant    string   `json:"tenant"`
}

// began is the time at which tokens are issued. It lies in the past, because some
// libraries refuse a token that was issued in the current second.
var began = time.Now().Add(-time.Minute)

// tokenSize is the length of a token with HS256.
const tokenSize = 454

// token returns the good token number n. Only jti differs between tokens.
func (k *key) token(tb testing.TB, n int) string {
	return k.sign(tb, n, began.Add(time.Hour), `"scope":"notes:read notes:write"`)
}

// sign returns the token number n with this expiry and more claims, in JSON.
func (k *key) sign(tb testing.TB, n int, expires time.Time, more string) string {
	tb.Helper()
	return jwtgatetest.Sign(tb, k.algorithm, k.private,
		fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, k.algorithm, keyID),
		fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":[%q],"exp":%d,"iat":%d,"jti":"%014d",`+
			`"sid":"AbCdEfGhIjKlMnOpQrStUvWx","auth_time":%[5]d,"roles":["admin","user"],"tenant":"acme",%s}`,
			issuer, audience, expires.Unix(), began.Unix(), n, more))
}

// forge returns token with a wrong signature.
func forge(token string) string {
	return token[:len(token)-10] + "AAAAAAAAA" + token[len(token)-1:]
}

func TestTokenSize(t *testing.T) {
	if got := len(hmacKey().token(t, 0)); got != tokenSize {
		t.Errorf("token has %d bytes; want %d", got, tokenSize)
	}
}

// must returns v. It panics on an error, which means that the benchmark is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
