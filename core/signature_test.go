package jwtgate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A public key is never used as the secret of an HMAC (RFC 8725 §2.1).
func TestPublicKeyAsSecret(t *testing.T) {
	t.Parallel()
	for _, key := range []struct {
		alg    string
		keys   keys.Source
		public any
	}{
		{"RS256", keys.RS256(&rsaKey().PublicKey), &rsaKey().PublicKey},
		{"ES256", keys.ES256(&p256Key.PublicKey), &p256Key.PublicKey},
		{"EdDSA", keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey)), ed25519Key.Public()},
	} {
		auth := newVerifier(t, key.keys)
		der := must(x509.MarshalPKIXPublicKey(key.public))
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		jwk := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"}).Body
		for name, secret := range map[string][]byte{
			"PEM":                    text,
			"PEM without a line end": text[:len(text)-1],
			"DER":                    der,
			"JWK Set":                jwk,
		} {
			for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"` + key.alg + `"}`} {
				t.Run(key.alg+" "+name+" "+header, func(t *testing.T) {
					decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, header, claims())), jwtgate.CodeTokenInvalid)
				})
			}
		}
	}
}

// A key verifies by one algorithm (RFC 8725 §3.1). Tokens by every other algorithm are
// refused, even if the same key has signed them correctly.
func TestKeyIsBoundToItsAlgorithm(t *testing.T) {
	t.Parallel()
	private := rsaKey()
	for _, row := range []struct {
		name string
		keys keys.Source
		algs []string
		key  any
	}{
		{"HS256", keys.HS256(secret), []string{"HS384", "HS512"}, secret},
		{"HS512", keys.HS512(secret), []string{"HS256", "HS384"}, secret},
		{"RS256", keys.RS256(private), []string{"RS384", "RS512", "PS256", "PS384", "PS512"}, private},
		{"PS256", keys.PS256(private), []string{"RS256", "RS384", "RS512", "PS384", "PS512"}, private},
		{"PS512", keys.PS512(private), []string{"RS256", "RS384", "RS512", "PS256", "PS384"}, private},
	} {
		auth := newVerifier(t, row.keys)
		kid := row.keys.(keys.Key).ID()
		for _, alg := range row.algs {
			t.Run(row.name+" used for "+alg, func(t *testing.T) {
				decide(t, auth, withBearer(jwtgatetest.Sign(t, alg, row.key, `{"alg":"`+alg+`"}`, claims())), jwtgate.CodeTokenInvalid)
				decide(t, auth, withBearer(jwtgatetest.Sign(t, alg, row.key, `{"alg":"`+alg+`","kid":"`+kid+`"}`, claims())), jwtgate.CodeTokenInvalid)
				// The header lies about the algorithm.
				decide(t, auth, withBearer(jwtgatetest.Sign(t, row.name, row.key, `{"alg":"`+alg+`","kid":"`+kid+`"}`, claims())), jwtgate.CodeTokenInvalid)
				decide(t, auth, withBearer(jwtgatetest.Sign(t, alg, row.key, `{"alg":"`+row.name+`"}`, claims())), jwtgate.CodeTokenInvalid)
			})
		}
	}
}

func TestEd25519HasTwoNames(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.EdDSA(ed25519Key))
	for _, row := range []row{
		{"EdDSA (RFC 8037 §3.1)", "EdDSA", accepted},
		{"Ed25519 (RFC 9864 §2.2)", "Ed25519", accepted},
		{"ed25519", "ed25519", jwtgate.CodeTokenInvalid},
		{"Ed448", "Ed448", jwtgate.CodeTokenInvalid},
		{"ES256", "ES256", jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(jwtgatetest.Sign(t, "EdDSA", ed25519Key, `{"alg":"`+row.text+`"}`, claims())), row.want)
		})
	}
	// No other key accepts that name.
	other := newVerifier(t, keys.ES256(p256Key))
	decide(t, other, withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"Ed25519"}`, claims())), jwtgate.CodeTokenInvalid)
	decide(t, other, withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":""}`, claims())), jwtgate.CodeTokenInvalid)
}

// A key in a token is never used, and an address in a token is never asked for keys.
func TestKeyInToken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan struct{})
	go func() {
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
			close(called)
		}
	}()
	url := "http://" + listener.Addr().String() + "/keys.json"
	evil := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	jwk := string(must(json.Marshal(map[string]string{
		"kty": "EC", "crv": "P-256", "x": encode(evil.X.FillBytes(make([]byte, 32))), "y": encode(evil.Y.FillBytes(make([]byte, 32))),
	})))
	auth := newVerifier(t, keys.ES256(p256Key))
	for _, row := range []struct{ name, member string }{
		{"jwk", `"jwk":` + jwk},
		{"jku", `"jku":"` + url + `"`},
		{"x5u", `"x5u":"` + url + `"`},
		{"x5c", `"x5c":["` + base64.StdEncoding.EncodeToString(must(x509.MarshalPKIXPublicKey(&evil.PublicKey))) + `"]`},
		{"kid that is an address", `"kid":"` + url + `"`},
	} {
		header := `{"alg":"ES256",` + row.member + `}`
		decide(t, auth, withBearer(jwtgatetest.Sign(t, "ES256", evil, header, claims())), jwtgate.CodeTokenInvalid)
	}
	// An iss that is an address is not asked either.
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "ES256", evil, `{"alg":"ES256"}`, claims("iss", `"`+url+`"`))), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","jku":"`+url+`","jwk":`+jwk+`}`, claims())), accepted)
	listener.Close()
	select {
	case <-called:
		t.Error("got a connection to an address that a token named")
	default:
	}
}

func TestECDSASignature(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.ES256(p256Key))
	input := encode([]byte(`{"alg":"ES256"}`)) + "." + encode([]byte(claims()))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p256Key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	zero, one := new(big.Int), big.NewInt(1)
	less := new(big.Int).Sub(n, one)
	pair := func(r, s *big.Int) string {
		return string(r.FillBytes(make([]byte, 32))) + string(s.FillBytes(make([]byte, 32)))
	}
	der := string(must(asn1.Marshal(struct{ R, S *big.Int }{r, s})))
	good := pair(r, s)
	for _, row := range []row{
		{"as RFC 7518 §3.4 has it", good, accepted},
		// Each ECDSA signature has a twin, so tokens are revoked by jti, not by their text.
		{"its twin", pair(r, new(big.Int).Sub(n, s)), accepted},
		{"swapped", pair(s, r), jwtgate.CodeTokenInvalid},
		{"ASN.1", der, jwtgate.CodeTokenInvalid},
		{"cut short", good[:63], jwtgate.CodeTokenInvalid},
		{"a zero after it", good + "\x00", jwtgate.CodeTokenInvalid},
		{"a zero before it", "\x00" + good, jwtgate.CodeTokenInvalid},
		{"a zero before each half", "\x00" + good[:32] + "\x00" + good[32:], jwtgate.CodeTokenInvalid},
		{"r and s zero (CVE-2022-21449)", pair(zero, zero), jwtgate.CodeTokenInvalid},
		{"r zero", pair(zero, s), jwtgate.CodeTokenInvalid},
		{"s zero", pair(r, zero), jwtgate.CodeTokenInvalid},
		{"r and s one", pair(one, one), jwtgate.CodeTokenInvalid},
		{"r and s the order", pair(n, n), jwtgate.CodeTokenInvalid},
		{"r the order, s one", pair(n, one), jwtgate.CodeTokenInvalid},
		{"r one, s the order", pair(one, n), jwtgate.CodeTokenInvalid},
		{"r and s one less than the order", pair(less, less), jwtgate.CodeTokenInvalid},
		{"of another key", pair(must2(ecdsa.Sign(rand.Reader, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), digest[:]))), jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(input+"."+encode([]byte(row.text))), row.want)
		})
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func TestEd25519Signature(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey)))
	input := encode([]byte(`{"alg":"EdDSA"}`)) + "." + encode([]byte(claims()))
	good := string(ed25519.Sign(ed25519Key, []byte(input)))
	for _, row := range []row{
		{"as RFC 8032 §5.1.6 has it", good, accepted},
		{"S with the order added (RFC 8032 §5.1.7)", good[:32] + addOrder(good[32:]), jwtgate.CodeTokenInvalid},
		{"R the identity, S zero", "\x01" + strings.Repeat("\x00", 63), jwtgate.CodeTokenInvalid},
		{"zeros", strings.Repeat("\x00", 64), jwtgate.CodeTokenInvalid},
		{"cut short", good[:63], jwtgate.CodeTokenInvalid},
		{"a zero after it", good + "\x00", jwtgate.CodeTokenInvalid},
		{"halves swapped", good[32:] + good[:32], jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(input+"."+encode([]byte(row.text))), row.want)
		})
	}
}

// addOrder adds the order of the group of Ed25519 to s, which is little-endian.
func addOrder(s string) string {
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	sum := new(big.Int).Add(order, new(big.Int).SetBytes(reversed([]byte(s))))
	return string(reversed(sum.FillBytes(make([]byte, 32))))
}

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return r
}

// A PSS signature is accepted only if its salt is as long as the hash (RFC 7518 §3.5).
func TestPSSSalt(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.PS256(&rsaKey().PublicKey))
	input := encode([]byte(`{"alg":"PS256"}`)) + "." + encode([]byte(claims()))
	digest := sha256.Sum256([]byte(input))
	for _, row := range []struct {
		salt int
		want jwtgate.Code
	}{
		{32, accepted},
		{20, jwtgate.CodeTokenInvalid},
		{31, jwtgate.CodeTokenInvalid},
		{33, jwtgate.CodeTokenInvalid},
		{64, jwtgate.CodeTokenInvalid},
		{222, jwtgate.CodeTokenInvalid}, // the longest that fits
	} {
		t.Run(strconv.Itoa(row.salt), func(t *testing.T) {
			t.Parallel()
			signature, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: row.salt})
			if err != nil {
				t.Fatal(err)
			}
			decide(t, auth, withBearer(input+"."+encode(signature)), row.want)
		})
	}
}

func TestRSASignature(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.RS256(&rsaKey().PublicKey))
	input := encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims()))
	digest := sha256.Sum256([]byte(input))
	good := string(must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, digest[:])))
	plusModulus := new(big.Int).Add(rsaKey().N, new(big.Int).SetBytes([]byte(good))).Bytes()
	for _, row := range []row{
		{"as RFC 7518 §3.3 has it", good, accepted},
		{"of another key", string(must(rsa.SignPKCS1v15(rand.Reader, otherRSA(), crypto.SHA256, digest[:]))), jwtgate.CodeTokenInvalid},
		{"without the hash's name", string(must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), 0, digest[:]))), jwtgate.CodeTokenInvalid},
		{"cut short", good[:255], jwtgate.CodeTokenInvalid},
		{"a zero before it", "\x00" + good, jwtgate.CodeTokenInvalid},
		{"a zero after it", good + "\x00", jwtgate.CodeTokenInvalid},
		{"the modulus added", string(plusModulus), jwtgate.CodeTokenInvalid},
		{"zeros", strings.Repeat("\x00", 256), jwtgate.CodeTokenInvalid},
		{"one", strings.Repeat("\x00", 255) + "\x01", jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(input+"."+encode([]byte(row.text))), row.want)
		})
	}
}
