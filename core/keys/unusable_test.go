package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// rsaOf returns a public key whose modulus has the given number of bits. It verifies
// nothing.
func rsaOf(bits, e int) *rsa.PublicKey {
	n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
	return &rsa.PublicKey{N: n, E: e}
}

func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	private := rsaKey
	wrongHalf := *private
	wrongHalf.PublicKey = otherRSA.PublicKey
	p256, p224 := elliptic.P256(), must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	otherEC := &ecdsa.PrivateKey{PublicKey: p256Key.PublicKey, D: big.NewInt(5)}
	otherEd := append(bytes.Clone(ed25519Key[:32]), make([]byte, 32)...)
	for _, row := range []struct {
		name   string
		keys   Source
		reason string // a part of it
	}{
		{"an empty set", Set{}, "is empty"},
		{"the zero Key", Key{}, "zero Key"},
		{"the zero Key with a kid", Key{}.WithID("k"), "zero Key"},
		{"the zero Key in a set", Set{HS256(secret), {}}, "key 1 is the zero Key"},
		{"a nil ring", (*Ring)(nil), "is a nil *keys.Ring"},
		{"the zero KeyRing", new(Ring), "is the zero keys.Ring"},
		{"an empty ring", NewRing(), "is empty"},
		{"a ring with the zero Key", NewRing(HS256(secret), Key{}), "key 1 is the zero Key"},
		{"a ring with two keys of one kid", NewRing(HS256(secret), HS256(secret)), "two keys have the kid"},
		{"a ring of a short secret that rotated on", rotated(NewRing(HS256(secret[:31])), HS256(secret)), "31 bytes"},

		{"HS256 without a secret", HS256(nil), "0 bytes: HS256 needs at least 32"},
		{"HS256 of 1 byte", HS256(secret[:1]), "1 bytes"},
		{"HS256 of 31 bytes", HS256(secret[:31]), "31 bytes: HS256 needs at least 32"},
		{"HS384 of 47 bytes", HS384(secret[:47]), "47 bytes: HS384 needs at least 48"},
		{"HS512 of 63 bytes", HS512(secret[:63]), "63 bytes: HS512 needs at least 64"},
		{"HS256 of zeros", HS256(make([]byte, 32)), "zeros"},
		{"HS256 of a public key", HS256(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private.PublicKey)))), "is a PEM file"},

		{"RSA nil", RS256((*rsa.PrivateKey)(nil)), "is nil"},
		{"RSA public nil", RS256((*rsa.PublicKey)(nil)), "is nil"},
		{"RSA without anything", RS256(&rsa.PrivateKey{}), "not valid"},
		{"RSA public without anything", RS256(&rsa.PublicKey{}), "is nil"},
		{"RSA modulus zero", RS256(&rsa.PublicKey{N: new(big.Int), E: 65537}), "0 bits"},
		{"RSA modulus negative", RS256(&rsa.PublicKey{N: new(big.Int).Neg(private.N), E: 65537}), "modulus that is not valid"},
		{"RSA modulus even", RS256(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}), "modulus that is not valid"},
		{"RSA of 512 bits", RS256(rsaOf(512, 65537)), "512 bits"},
		{"RSA of 1024 bits", PS256(rsaOf(1024, 65537)), "1024 bits"},
		{"RSA of 2047 bits", RS256(rsaOf(2047, 65537)), "2047 bits"},
		{"RSA of 8193 bits", RS256(rsaOf(8193, 65537)), "8193 bits"},
		{"RSA exponent 0", RS256(rsaOf(2048, 0)), "modulus that is not valid"},
		{"RSA exponent 1", RS256(rsaOf(2048, 1)), "modulus that is not valid"},
		{"RSA exponent even", RS256(rsaOf(2048, 65536)), "modulus that is not valid"},
		{"RSA exponent negative", RS256(rsaOf(2048, -3)), "modulus that is not valid"},
		{"RSA exponent of 32 bits", RS256(rsaOf(2048, 1<<31+1)), "modulus that is not valid"},
		{"RSA exponent of 33 bits", RS256(rsaOf(2048, 1<<32+1)), "modulus that is not valid"},
		{"RSA halves that do not match", RS256(&wrongHalf), "not valid"},

		{"ECDSA nil", ES256((*ecdsa.PrivateKey)(nil)), "is nil"},
		{"ECDSA public nil", ES256((*ecdsa.PublicKey)(nil)), "is nil"},
		{"ECDSA without anything", ES256(&ecdsa.PrivateKey{}), "is nil"},
		{"ECDSA public without anything", ES256(&ecdsa.PublicKey{}), "is nil"},
		{"ECDSA without a point", ES256(&ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: p256}, D: big.NewInt(5)}), "is nil"},
		{"ECDSA without one coordinate", ES256(&ecdsa.PublicKey{Curve: p256, X: p256Key.X}), "is nil"},
		{"ECDSA without the other", ES256(&ecdsa.PublicKey{Curve: p256, Y: p256Key.Y}), "is nil"},
		{"ECDSA without a private number", ES256(&ecdsa.PrivateKey{PublicKey: p256Key.PublicKey}), "is nil"},
		{"ECDSA without a curve", ES256(&ecdsa.PublicKey{X: p256Key.X, Y: p256Key.Y}), "is nil"},
		{"ECDSA point off the curve", ES256(&ecdsa.PublicKey{Curve: p256, X: p256Key.Y, Y: p256Key.X}), "not a point"},
		{"ECDSA point at infinity", ES256(&ecdsa.PublicKey{Curve: p256, X: new(big.Int), Y: new(big.Int)}), "not a point"},
		{"ECDSA point beyond the field", ES256(&ecdsa.PublicKey{Curve: p256, X: new(big.Int).Add(p256Key.X, p256.Params().P), Y: p256Key.Y}), "not a point"},
		{"ECDSA private number zero", ES256(&ecdsa.PrivateKey{PublicKey: p256Key.PublicKey, D: new(big.Int)}), "does not belong to its public key"},
		{"ECDSA halves that do not match", ES256(otherEC), "does not belong to its public key"},
		{"ES256 on P-224", ES256(p224), "is on P-224: ES256 needs P-256"},
		{"ES256 on P-384", ES256(p384Key), "is on P-384: ES256 needs P-256"},
		{"ES384 on P-256", ES384(&p256Key.PublicKey), "is on P-256: ES384 needs P-384"},
		{"ES512 on P-384", ES512(p384Key), "is on P-384: ES512 needs P-521"},

		{"Ed25519 nil", EdDSA(ed25519.PrivateKey(nil)), "0 bytes"},
		{"Ed25519 public nil", EdDSA(ed25519.PublicKey(nil)), "0 bytes"},
		{"Ed25519 seed alone", EdDSA(ed25519.PrivateKey(ed25519Key.Seed())), "32 bytes: Ed25519 has 64"},
		{"Ed25519 private for public", EdDSA(ed25519.PublicKey(ed25519Key)), "64 bytes: Ed25519 has 32"},
		{"Ed25519 halves that do not match", EdDSA(ed25519.PrivateKey(otherEd)), "does not belong to its public key"},

		{"kid of 257 bytes", HS256(secret).WithID(strings.Repeat("k", 257)), "kid of key 0"},
		{"kid empty", HS256(secret).WithID(""), "kid of key 0"},
		{"kid with a line end", HS256(secret).WithID("k\n"), "kid of key 0"},
		{"two keys of one kid and algorithm", Set{HS256(secret).WithID("k"), HS256(secret[:40]).WithID("k")}, `two keys have the kid "k" and the algorithm HS256`},
		{"one key twice", Set{ES256(p256Key), ES256(&p256Key.PublicKey)}, "two keys have the kid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			opened, problems := row.keys.Open(keyaccess.Options{})
			if opened != nil || len(problems) != 1 || !strings.Contains(problems[0], row.reason) {
				t.Fatalf("got %v and problems %q, want one with %q", opened, problems, row.reason)
			}
			checkNoKey(t, problems[0])
			if key, alone := row.keys.(Key); alone && key.material != nil && !key.material.named && key.ID() != "" {
				t.Errorf("got the kid %s of a key that cannot be used; want none", key.ID())
			}
		})
	}
}

// rotated returns ring with next as its active key.
func rotated(ring *Ring, next Key) *Ring {
	_ = ring.Announce(next)
	_ = ring.Rotate()
	return ring
}

// mended returns ring with key as its only key.
func mended(ring *Ring, key Key) *Ring {
	_ = ring.Replace(key)
	return ring
}

func TestUsableKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		key  Source
	}{
		{"HS256 of 32 bytes", HS256(secret[:32])},
		{"HS384 of 48 bytes", HS384(secret[:48])},
		{"HS512 of 64 bytes", HS512(secret[:64])},
		{"RSA of 2048 bits", RS256(rsaOf(2048, 3))},
		{"RSA of 8192 bits", RS256(rsaOf(8192, 1<<31-1))},
		{"kid of 256 bytes", HS256(secret).WithID(strings.Repeat("k", 256))},
		{"one kid for two types", Set{HS256(secret).WithID("k"), ES256(p256Key).WithID("k")}},
		{"one key for two algorithms", Set{RS256(rsaKey), PS256(rsaKey)}},
		{"a ring", NewRing(HS256(secret))},
		{"a ring that was mended", mended(NewRing(), HS256(secret))},
	} {
		if opened, problems := row.key.Open(keyaccess.Options{}); opened == nil || len(problems) > 0 {
			t.Errorf("%s: got problems %q, want none", row.name, problems)
		}
	}
}

// With a public key of low order anyone can sign. These are all points whose order
// divides 8, in every encoding: those of RFC 8032 §5.1.3 and those that only lax
// decoders accept.
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
			_, problems := EdDSA(ed25519.PublicKey(key)).Open(keyaccess.Options{})
			if len(problems) != 1 || !strings.Contains(problems[0], "low order") {
				t.Errorf("got problems %q for %x, want one that says low order", problems, key)
			}
		}
	}
}
