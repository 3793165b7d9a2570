package jwtgate_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// All 13 algorithms issue what they verify, also where the verifier has the
// public half only, and nothing else.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	private := rsaKey()
	public := &private.PublicKey
	for _, row := range []struct {
		alg             string
		signer, checker keys.Key
	}{
		{"HS256", keys.HS256(secret), keys.HS256(secret)},
		{"HS384", keys.HS384(secret), keys.HS384(secret)},
		{"HS512", keys.HS512(secret), keys.HS512(secret)},
		{"RS256", keys.RS256(private), keys.RS256(public)},
		{"RS384", keys.RS384(private), keys.RS384(public)},
		{"RS512", keys.RS512(private), keys.RS512(public)},
		{"PS256", keys.PS256(private), keys.PS256(public)},
		{"PS384", keys.PS384(private), keys.PS384(public)},
		{"PS512", keys.PS512(private), keys.PS512(public)},
		{"ES256", keys.ES256(p256Key), keys.ES256(&p256Key.PublicKey)},
		{"ES384", keys.ES384(p384Key), keys.ES384(&p384Key.PublicKey)},
		{"ES512", keys.ES512(p521Key), keys.ES512(&p521Key.PublicKey)},
		{"EdDSA", keys.EdDSA(ed25519Key), keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey))},
	} {
		t.Run(row.alg, func(t *testing.T) {
			t.Parallel()
			token := jwtgatetest.Token(t, newVerifier(t, row.signer), "alice")
			checker := newVerifier(t, row.checker)
			decide(t, checker, withBearer(token), accepted)
			signature := strings.LastIndexByte(token, '.') + 1
			forged := token[:signature] + token[signature+4:] + token[signature:signature+4]
			decide(t, checker, withBearer(forged), jwtgate.CodeTokenInvalid)
			if row.signer.ID() != row.checker.ID() {
				t.Errorf("got kid %q for one half and %q for the other, want the same", row.signer.ID(), row.checker.ID())
			}
			if want := row.alg + " key " + row.signer.ID(); row.signer.String() != want {
				t.Errorf("got %q, want %q", row.signer, want)
			}
			var header struct{ Alg, Kid, Typ string }
			segment, _, _ := strings.Cut(token, ".")
			if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(segment)), &header); err != nil {
				t.Fatal(err)
			}
			if header.Alg != row.alg || header.Kid != row.signer.ID() || header.Typ != "at+jwt" {
				t.Errorf("got header %+v, want %s, %s and at+jwt", header, row.alg, row.signer.ID())
			}
			_, err := checker.Issue(t.Context(), jwtgate.Grant{Subject: "alice"})
			if isHMAC := strings.HasPrefix(row.alg, "HS"); (err == nil) != isHMAC {
				t.Errorf("got error %v when the verifier issues, want one unless it has the secret", err)
			}
		})
	}
}

// asPEM returns der as a PEM file of one block.
func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestPEM(t *testing.T) {
	t.Parallel()
	private := rsaKey()
	ecParameters := asPEM("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) // as openssl ecparam writes them
	sec1 := asPEM("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256Key)))
	for _, row := range []struct {
		name  string
		got   keys.Key
		want  keys.Key
		signs bool
	}{
		{"RSA, PKCS #8", keys.RS256(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))), keys.RS256(private), true},
		{"RSA, PKCS #1", keys.PS256(asPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))), keys.PS256(private), true},
		{"RSA public, PKIX", keys.RS384(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))), keys.RS384(private), false},
		{"RSA public, PKCS #1", keys.RS512(asPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey))), keys.RS512(private), false},
		{"ECDSA, PKCS #8", keys.ES256(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256Key)))), keys.ES256(p256Key), true},
		{"ECDSA, SEC 1", keys.ES256(sec1), keys.ES256(p256Key), true},
		{"ECDSA, SEC 1 after its parameters", keys.ES256(append(ecParameters, sec1...)), keys.ES256(p256Key), true},
		{"ECDSA public, PKIX", keys.ES384(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&p384Key.PublicKey)))), keys.ES384(p384Key), false},
		{"Ed25519, PKCS #8", keys.EdDSA(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed25519Key)))), keys.EdDSA(ed25519Key), true},
		{"Ed25519 public, PKIX", keys.EdDSA(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(ed25519Key.Public())))), keys.EdDSA(ed25519Key), false},
		{"text before it", keys.ES256(append([]byte("my key:\n\n"), sec1...)), keys.ES256(p256Key), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth := newVerifier(t, row.got)
			decide(t, auth, withBearer(jwtgatetest.Token(t, newVerifier(t, row.want), "alice")), accepted)
			if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); (err == nil) != row.signs {
				t.Errorf("got error %v from Issue, want one: %v", err, !row.signs)
			}
		})
	}
}

// rsaOf returns a public key whose modulus has bits bits: enough to be looked at.
func rsaOf(bits, e int) *rsa.PublicKey {
	n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
	return &rsa.PublicKey{N: n, E: e}
}

func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	private := rsaKey()
	wrongHalf := *private
	wrongHalf.PublicKey = otherRSA().PublicKey
	p256, p224 := elliptic.P256(), must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	otherEC := &ecdsa.PrivateKey{PublicKey: p256Key.PublicKey, D: big.NewInt(5)}
	otherEd := append(bytes.Clone(ed25519Key[:32]), make([]byte, 32)...)
	encrypted := &pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x")}
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	for _, row := range []struct {
		name   string
		keys   keys.Source
		reason string // a part of it
	}{
		{"no keys", nil, "is nil"},
		{"an empty set", keys.Set{}, "is empty"},
		{"the zero Key", keys.Key{}, "zero Key"},
		{"the zero Key with a kid", keys.Key{}.WithID("k"), "zero Key"},
		{"the zero Key in a set", keys.Set{keys.HS256(secret), {}}, "key 1 is the zero Key"},
		{"a nil ring", (*keys.Ring)(nil), "is a nil *keys.Ring"},
		{"the zero KeyRing", new(keys.Ring), "is the zero keys.Ring"},
		{"an empty ring", keys.NewRing(), "is empty"},
		{"a ring with the zero Key", keys.NewRing(keys.HS256(secret), keys.Key{}), "key 1 is the zero Key"},
		{"a ring with two keys of one kid", keys.NewRing(keys.HS256(secret), keys.HS256(secret)), "two keys have the kid"},
		{"a ring of a short secret that rotated on", rotated(keys.NewRing(keys.HS256(secret[:31])), keys.HS256(secret)), "31 bytes"},

		{"HS256 without a secret", keys.HS256(nil), "0 bytes: HS256 needs at least 32"},
		{"HS256 of 1 byte", keys.HS256(secret[:1]), "1 bytes"},
		{"HS256 of 31 bytes", keys.HS256(secret[:31]), "31 bytes: HS256 needs at least 32"},
		{"HS384 of 47 bytes", keys.HS384(secret[:47]), "47 bytes: HS384 needs at least 48"},
		{"HS512 of 63 bytes", keys.HS512(secret[:63]), "63 bytes: HS512 needs at least 64"},
		{"HS256 of zeros", keys.HS256(make([]byte, 32)), "zeros"},
		{"HS256 of a public key", keys.HS256(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))), "is a PEM file"},

		{"RSA nil", keys.RS256((*rsa.PrivateKey)(nil)), "is nil"},
		{"RSA public nil", keys.RS256((*rsa.PublicKey)(nil)), "is nil"},
		{"RSA without anything", keys.RS256(&rsa.PrivateKey{}), "not valid"},
		{"RSA public without anything", keys.RS256(&rsa.PublicKey{}), "is nil"},
		{"RSA modulus zero", keys.RS256(&rsa.PublicKey{N: new(big.Int), E: 65537}), "0 bits"},
		{"RSA modulus negative", keys.RS256(&rsa.PublicKey{N: new(big.Int).Neg(private.N), E: 65537}), "modulus that is not valid"},
		{"RSA modulus even", keys.RS256(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}), "modulus that is not valid"},
		{"RSA of 512 bits", keys.RS256(rsaOf(512, 65537)), "512 bits"},
		{"RSA of 1024 bits", keys.PS256(rsaOf(1024, 65537)), "1024 bits"},
		{"RSA of 2047 bits", keys.RS256(rsaOf(2047, 65537)), "2047 bits"},
		{"RSA of 8193 bits", keys.RS256(rsaOf(8193, 65537)), "8193 bits"},
		{"RSA exponent 0", keys.RS256(rsaOf(2048, 0)), "modulus that is not valid"},
		{"RSA exponent 1", keys.RS256(rsaOf(2048, 1)), "modulus that is not valid"},
		{"RSA exponent even", keys.RS256(rsaOf(2048, 65536)), "modulus that is not valid"},
		{"RSA exponent negative", keys.RS256(rsaOf(2048, -3)), "modulus that is not valid"},
		{"RSA exponent of 33 bits", keys.RS256(rsaOf(2048, 1<<32+1)), "modulus that is not valid"},
		{"RSA halves that do not match", keys.RS256(&wrongHalf), "not valid"},

		{"ECDSA nil", keys.ES256((*ecdsa.PrivateKey)(nil)), "is nil"},
		{"ECDSA public nil", keys.ES256((*ecdsa.PublicKey)(nil)), "is nil"},
		{"ECDSA without anything", keys.ES256(&ecdsa.PrivateKey{}), "is nil"},
		{"ECDSA public without anything", keys.ES256(&ecdsa.PublicKey{}), "is nil"},
		{"ECDSA without a point", keys.ES256(&ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: p256}, D: big.NewInt(5)}), "is nil"},
		{"ECDSA without one coordinate", keys.ES256(&ecdsa.PublicKey{Curve: p256, X: p256Key.X}), "is nil"},
		{"ECDSA without the other", keys.ES256(&ecdsa.PublicKey{Curve: p256, Y: p256Key.Y}), "is nil"},
		{"ECDSA without a private number", keys.ES256(&ecdsa.PrivateKey{PublicKey: p256Key.PublicKey}), "is nil"},
		{"ECDSA without a curve", keys.ES256(&ecdsa.PublicKey{X: p256Key.X, Y: p256Key.Y}), "is nil"},
		{"ECDSA point off the curve", keys.ES256(&ecdsa.PublicKey{Curve: p256, X: p256Key.Y, Y: p256Key.X}), "not a point"},
		{"ECDSA point at infinity", keys.ES256(&ecdsa.PublicKey{Curve: p256, X: new(big.Int), Y: new(big.Int)}), "not a point"},
		{"ECDSA point beyond the field", keys.ES256(&ecdsa.PublicKey{Curve: p256, X: new(big.Int).Add(p256Key.X, p256.Params().P), Y: p256Key.Y}), "not a point"},
		{"ECDSA private number zero", keys.ES256(&ecdsa.PrivateKey{PublicKey: p256Key.PublicKey, D: new(big.Int)}), "does not belong to its public key"},
		{"ECDSA halves that do not match", keys.ES256(otherEC), "does not belong to its public key"},
		{"ES256 on P-224", keys.ES256(p224), "is on P-224: ES256 needs P-256"},
		{"ES256 on P-384", keys.ES256(p384Key), "is on P-384: ES256 needs P-256"},
		{"ES384 on P-256", keys.ES384(&p256Key.PublicKey), "is on P-256: ES384 needs P-384"},
		{"ES512 on P-384", keys.ES512(p384Key), "is on P-384: ES512 needs P-521"},

		{"Ed25519 nil", keys.EdDSA(ed25519.PrivateKey(nil)), "0 bytes"},
		{"Ed25519 public nil", keys.EdDSA(ed25519.PublicKey(nil)), "0 bytes"},
		{"Ed25519 seed alone", keys.EdDSA(ed25519.PrivateKey(ed25519Key.Seed())), "32 bytes: Ed25519 has 64"},
		{"Ed25519 private for public", keys.EdDSA(ed25519.PublicKey(ed25519Key)), "64 bytes: Ed25519 has 32"},
		{"Ed25519 halves that do not match", keys.EdDSA(ed25519.PrivateKey(otherEd)), "does not belong to its public key"},

		{"PEM empty", keys.RS256([]byte(nil)), "not a PEM file that contains a key"},
		{"PEM of garbage", keys.ES256(secret), "not a PEM file that contains a key"},
		{"PEM cut short", keys.EdDSA([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n")), "not a PEM file that contains a key"},
		{"PEM of a certificate", keys.RS256(asPEM("CERTIFICATE", []byte("x"))), "not a PEM file that contains a key"},
		{"PEM, parameters alone", keys.ES256(asPEM("EC PARAMETERS", []byte("x"))), "not a PEM file that contains a key"},
		{"PEM with garbage in it", keys.RS256(asPEM("PRIVATE KEY", secret)), "cannot be read"},
		{"PEM with garbage in it, PKCS #1", keys.RS256(asPEM("RSA PRIVATE KEY", secret)), "cannot be read"},
		{"PEM with garbage in it, SEC 1", keys.ES256(asPEM("EC PRIVATE KEY", secret)), "cannot be read"},
		{"PEM with garbage in it, PKIX", keys.ES256(asPEM("PUBLIC KEY", secret)), "cannot be read"},
		{"PEM with garbage in it, PKCS #1 public", keys.RS256(asPEM("RSA PUBLIC KEY", secret)), "cannot be read"},
		{"PEM encrypted, PKCS #8", keys.RS256(asPEM("ENCRYPTED PRIVATE KEY", secret)), "is encrypted"},
		{"PEM encrypted, RFC 1421", keys.RS256(pem.EncodeToMemory(encrypted)), "is encrypted"},
		{"PEM of ECDSA for RSA", keys.RS256(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256Key)))), "RS256 needs an RSA key"},
		{"PEM of RSA for ECDSA", keys.ES256(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))), "ES256 needs an ECDSA key"},
		{"PEM of ECDSA for Ed25519", keys.EdDSA(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256Key)))), "EdDSA needs an Ed25519 key"},
		{"PEM of X25519 for Ed25519", keys.EdDSA(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(x25519)))), "EdDSA needs an Ed25519 key"},

		{"kid of 257 bytes", keys.HS256(secret).WithID(strings.Repeat("k", 257)), "kid of key 0"},
		{"kid empty", keys.HS256(secret).WithID(""), "kid of key 0"},
		{"kid with a line end", keys.HS256(secret).WithID("k\n"), "kid of key 0"},
		{"two keys of one kid", keys.Set{keys.HS256(secret).WithID("k"), keys.ES256(p256Key).WithID("k")}, `two keys have the kid "k"`},
		{"one key twice", keys.Set{keys.ES256(p256Key), keys.ES256(&p256Key.PublicKey)}, "two keys have the kid"},
		{"one key, two algorithms", keys.Set{keys.RS256(private), keys.PS256(private)}, "two keys have the kid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: row.keys})
			var mistake *jwtgate.ConfigError
			if auth != nil || !errors.As(err, &mistake) {
				t.Fatalf("got %v and error %v, want a ConfigError", auth, err)
			}
			if mistake.Field != "Keys" || !strings.Contains(mistake.Reason, row.reason) {
				t.Errorf("got field %s and reason %q, want Keys and %q", mistake.Field, mistake.Reason, row.reason)
			}
			checkNoSecret(t, err.Error())
		})
	}
}

// rotated returns ring with next as its active key.
func rotated(ring *keys.Ring, next keys.Key) *keys.Ring {
	_ = ring.Announce(next)
	_ = ring.Rotate()
	return ring
}

// mended returns ring with key as its only one.
func mended(ring *keys.Ring, key keys.Key) *keys.Ring {
	_ = ring.Replace(key)
	return ring
}

func TestUsableKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		key  keys.Source
	}{
		{"HS256 of 32 bytes", keys.HS256(secret[:32])},
		{"HS384 of 48 bytes", keys.HS384(secret[:48])},
		{"HS512 of 64 bytes", keys.HS512(secret[:64])},
		{"RSA of 2048 bits", keys.RS256(rsaOf(2048, 3))},
		{"RSA of 8192 bits", keys.RS256(rsaOf(8192, 1<<31-1))},
		{"kid of 256 bytes", keys.HS256(secret).WithID(strings.Repeat("k", 256))},
		{"a ring", keys.NewRing(keys.HS256(secret))},
		{"a ring that was mended", mended(keys.NewRing(), keys.HS256(secret))},
	} {
		if _, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: row.key}); err != nil {
			t.Errorf("%s: got error %v, want none", row.name, err)
		}
	}
}

// With a public key of low order anyone can sign: the signature here is one of
// every message for some of them. These are all points whose order divides 8, in
// every encoding, those of RFC 8032 §5.1.3 and those that only lax decoders take.
func TestEd25519LowOrder(t *testing.T) {
	t.Parallel()
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0 + p
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1 + p
	} {
		for _, sign := range []byte{0, 0x80} {
			key := must(hex.DecodeString(y))
			key[31] |= sign
			_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.EdDSA(ed25519.PublicKey(key))})
			if err == nil || !strings.Contains(err.Error(), "low order") {
				t.Errorf("got error %v for %x, want one that says low order", err, key)
			}
		}
	}
}

// A Key does not change with the bytes that it was made of.
func TestKeyCopiesItsBytes(t *testing.T) {
	t.Parallel()
	shortLived := bytes.Clone(secret)
	seed := bytes.Clone(ed25519Key)
	public := bytes.Clone(ed25519Key[32:])
	hmac, signer, checker := keys.HS256(shortLived), keys.EdDSA(ed25519.PrivateKey(seed)), keys.EdDSA(ed25519.PublicKey(public))
	clear(shortLived)
	clear(seed)
	clear(public)
	decide(t, newVerifier(t, keys.HS256(secret)), withBearer(jwtgatetest.Token(t, newVerifier(t, hmac), "alice")), accepted)
	token := jwtgatetest.Token(t, newVerifier(t, signer), "alice")
	decide(t, newVerifier(t, keys.EdDSA(ed25519Key)), withBearer(token), accepted)
	decide(t, newVerifier(t, checker), withBearer(token), accepted)
}

func TestKeyIDs(t *testing.T) {
	t.Parallel()
	k := keys.HS256(secret)
	if named := k.WithID("mine"); named.ID() != "mine" || k.ID() == "mine" {
		t.Errorf("got kid %q, and %q for the key it was made of, want mine for the first only", named.ID(), k.ID())
	}
	if got := (keys.Key{}).ID(); got != "" {
		t.Errorf("got kid %q for the zero Key, want none", got)
	}
	// The kid of a secret must not be a plain hash of it, against which guesses
	// could be tried with tools that are there (RFC 7638 §7).
	if keys.HS256(secret).ID() == keys.HS256(secret[:63]).ID() {
		t.Error("got the same kid for two secrets")
	}
	if keys.ES256(p256Key).ID() == keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).ID() {
		t.Error("got the same kid for two keys")
	}
}

// Whatever prints a Key must not print its secret.
func TestKeyPrintsNoSecret(t *testing.T) {
	t.Parallel()
	type hidden struct {
		name string
		key  keys.Key
		keys keys.Source
		set  keys.Set
	}
	type open struct {
		Key  keys.Key
		Keys keys.Source
		Set  keys.Set
	}
	for _, key := range []keys.Key{keys.HS256(secret), keys.EdDSA(ed25519Key), keys.ES256(p256Key), keys.RS256(rsaKey()), {}, keys.HS256(secret[:8])} {
		set := keys.Set{key}
		ring := keys.NewRing(key, keys.HS256(signingSecret))
		_ = ring.Announce(key) // fails where it is active already
		auth, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: key})
		values := []any{key, &key, set, hidden{"k", key, key, set}, &hidden{"k", key, set, set}, open{key, set, set}, jwtgate.Config{Keys: key}, &jwtgate.Config{Keys: set}, auth, err, map[string]keys.Key{"k": key}, ring, hidden{"k", key, ring, set}, open{key, ring, set}, ring.Replace(key, key)}
		var b strings.Builder
		for _, verb := range []string{"%s", "%q", "%x", "%X"} {
			fmt.Fprintf(&b, verb+verb+verb+verb+"\n", key, &key, set, ring)
		}
		text := slog.New(slog.NewTextHandler(&b, nil))
		lines := slog.New(slog.NewJSONHandler(&b, nil))
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t", "%x"} {
				fmt.Fprintf(&b, verb+"\n", v)
			}
			text.Info("key", "value", v)
			lines.Info("key", "value", v)
			if encoded, err := json.Marshal(v); err == nil {
				b.Write(encoded)
			}
		}
		checkNoSecret(t, b.String())
	}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("rotated", "key", keys.HS256(secret).WithID("k"))
	if !strings.Contains(b.String(), `"key":"HS256 key k"`) {
		t.Errorf("got %s in the log, want the algorithm and the kid", b.String())
	}
	b.Reset()
	slog.New(slog.NewJSONHandler(&b, nil)).Info("rotated", "keys", keys.NewRing(keys.HS256(secret).WithID("k")))
	if !strings.Contains(b.String(), `"keys":"HS256 key k signs"`) {
		t.Errorf("got %s in the log, want the algorithm and the kid", b.String())
	}
	ring := keys.NewRing(keys.HS256(secret).WithID("k"))
	if got, want := fmt.Sprintf("%v; %s; %#v; %v", new(keys.Ring), ring, ring, (*keys.Ring)(nil)), "no keys; HS256 key k signs; HS256 key k signs; no keys"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := fmt.Sprintf("%v %s %#v", keys.Key{}, keys.HS256(secret).WithID("k"), keys.HS256(secret).WithID("k")), "no key HS256 key k HS256 key k"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkNoSecret fails if text has a part of a secret of these tests in it, as it
// is or in one of the forms that printing gives to bytes and numbers.
func checkNoSecret(t *testing.T, text string) {
	t.Helper()
	seed := ed25519Key.Seed()
	for _, secret := range [][]byte{secret[:8], seed[:8], p256Key.D.Bytes()[:8], rsaKey().D.Bytes()[:8]} {
		for _, form := range []string{
			string(secret),
			hex.EncodeToString(secret),
			strings.ToUpper(hex.EncodeToString(secret)),
			base64.StdEncoding.EncodeToString(secret[:6]),
			strings.Trim(fmt.Sprintf("%d", secret), "[]"),
			strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}"),
		} {
			if strings.Contains(text, form) {
				t.Errorf("got %q in %.300s", form, text)
			}
		}
	}
	for _, number := range []*big.Int{p256Key.D, rsaKey().D} {
		if strings.Contains(text, number.String()) {
			t.Errorf("got a private number in %.300s", text)
		}
	}
}

// The public halves are served, a secret never is.
func TestJWKS(t *testing.T) {
	t.Parallel()
	set := keys.Set{keys.HS256(secret), keys.RS256(rsaKey()), keys.ES256(p256Key), keys.ES512(&p521Key.PublicKey), keys.EdDSA(ed25519Key)}
	auth := newVerifier(t, set)
	res := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	if got := field(res, "Content-Type"); res.Status != 200 || got != "application/jwk-set+json" {
		t.Errorf("got status %d and type %s, want 200 and application/jwk-set+json", res.Status, got)
	}
	var got struct{ Keys []map[string]string }
	if err := json.Unmarshal(res.Body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 4 {
		t.Fatalf("got %d keys, want the 4 public ones, in %s", len(got.Keys), res.Body)
	}
	for i, want := range []struct{ alg, kty, crv string }{
		{"RS256", "RSA", ""}, {"ES256", "EC", "P-256"}, {"ES512", "EC", "P-521"}, {"EdDSA", "OKP", "Ed25519"},
	} {
		k := got.Keys[i]
		if k["alg"] != want.alg || k["kty"] != want.kty || k["crv"] != want.crv || k["use"] != "sig" || k["kid"] != set[i+1].ID() {
			t.Errorf("got %v, want %v", k, want)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if k[private] != "" {
				t.Errorf("got %s in the public key %v", private, k)
			}
		}
	}
	checkNoSecret(t, string(res.Body))

	none := newVerifier(t, keys.HS256(secret)).JWKS(t.Context(), jwtgate.Request{Method: "HEAD"})
	if string(none.Body) != `{"keys":[]}` {
		t.Errorf("got %s for secrets only, want no keys", none.Body)
	}
	if res := auth.JWKS(t.Context(), jwtgate.Request{Method: "POST"}); res.Status != 405 || field(res, "Allow") != "GET, HEAD" {
		t.Errorf("got status %d to a POST, want 405", res.Status)
	}
}

// RFC 7518 §6.2.1.2: a coordinate has all its bytes, also where the first is zero.
func TestJWKCoordinates(t *testing.T) {
	t.Parallel()
	short := p256Key
	for short.X.BitLen() > 248 {
		short = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	var got struct{ Keys []struct{ X, Y string } }
	res := newVerifier(t, keys.ES256(short)).JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	if err := json.Unmarshal(res.Body, &got); err != nil {
		t.Fatal(err)
	}
	x, y := must(base64.RawURLEncoding.DecodeString(got.Keys[0].X)), must(base64.RawURLEncoding.DecodeString(got.Keys[0].Y))
	if len(x) != 32 || len(y) != 32 || new(big.Int).SetBytes(x).Cmp(short.X) != 0 || new(big.Int).SetBytes(y).Cmp(short.Y) != 0 {
		t.Errorf("got %x and %x, want %x and %x in 32 bytes each", x, y, short.X, short.Y)
	}
}
