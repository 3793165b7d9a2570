package keys

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// A signature must be accepted exactly if golang-jwt accepts it, also under concurrent
// use. There are so many ECDSA signatures that in some a number begins with zeros.
func TestSignaturesAsGolangJWT(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method          jwt.SigningMethod
		key             Key
		signing, public any
		rounds          int
	}{
		{jwt.SigningMethodHS256, HS256(secret), secret, secret, 20},
		{jwt.SigningMethodRS256, RS256(rsaKey), rsaKey, &rsaKey.PublicKey, 5},
		{jwt.SigningMethodPS512, PS512(rsaKey), rsaKey, &rsaKey.PublicKey, 5},
		{jwt.SigningMethodES256, ES256(p256Key), p256Key, &p256Key.PublicKey, 600},
		{jwt.SigningMethodES512, ES512(p521Key), p521Key, &p521Key.PublicKey, 20},
		{jwt.SigningMethodEdDSA, EdDSA(ed25519Key), ed25519Key, ed25519Key.Public(), 5},
	} {
		var together sync.WaitGroup
		for _, input := range []string{"header.payload", "header.payload-that-is-longer"} {
			together.Go(func() {
				for i := range row.rounds {
					signature, err := row.method.Sign(input, row.signing)
					if err != nil {
						t.Error(err)
						return
					}
					if !row.key.material.Verify(input, signature) {
						t.Errorf("%s: %x is refused", row.method.Alg(), signature)
					}
					if row.key.material.Verify(input+"x", signature) {
						t.Errorf("%s: the signature of another input is accepted", row.method.Alg())
					}
					signature[i%len(signature)] ^= 1 << (i % 8)
					if row.key.material.Verify(input, signature) {
						t.Errorf("%s: %x is accepted, with bit %d of byte %d changed", row.method.Alg(), signature, i%8, i%len(signature))
					}
				}
			})
		}
		together.Wait()
		signature, err := row.method.Sign("header.payload", row.signing)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][2]int{{0, len(signature)}, {0, len(signature) / 2}, {len(signature) / 2, len(signature)}} {
			for _, with := range []byte{0, 0xff} {
				bad := bytes.Clone(signature)
				copy(bad[part[0]:part[1]], bytes.Repeat([]byte{with}, len(bad)))
				if row.key.material.Verify("header.payload", bad) {
					t.Errorf("%s: %x is accepted", row.method.Alg(), bad)
				}
			}
		}
	}
}

// A signature of the wrong length is refused before anything is computed.
func TestSignatureLength(t *testing.T) {
	t.Parallel()
	for _, key := range []Key{HS256(secret), RS256(rsaKey), ES256(p256Key), EdDSA(ed25519Key)} {
		signature, err := key.material.Sign("header.payload")
		if err != nil {
			t.Fatal(err)
		}
		checks := 0
		family := *key.material.alg.family
		verify := family.verify
		family.verify = func(alg *algorithm, public any, digest, signature []byte) bool {
			checks++
			return verify(alg, public, digest, signature)
		}
		alg := *key.material.alg
		alg.family = &family
		key.material.alg = &alg
		for _, row := range []struct {
			name      string
			signature []byte
			good      bool
			checks    int
		}{
			{"good", signature, true, 1},
			{"empty", nil, false, 0},
			{"too short", signature[1:], false, 0},
			{"too long", append(bytes.Clone(signature), 0), false, 0},
		} {
			checks = 0
			if good := key.material.Verify("header.payload", row.signature); good != row.good || checks != row.checks {
				t.Errorf("%s, %s: got %v after %d checks, want %v after %d", alg.name, row.name, good, checks, row.good, row.checks)
			}
		}
	}
}

// FuzzASN1 looks for numbers that encoding/asn1 encodes differently.
func FuzzASN1(f *testing.F) {
	f.Add([]byte{1}, []byte{0x80})
	f.Add(bytes.Repeat([]byte{0xff}, 66), make([]byte, 66))
	f.Add(bytes.Repeat([]byte{0x7f}, 62), bytes.Repeat([]byte{0x7f}, 62)) // both numbers together have 128 bytes
	f.Add(append(make([]byte, 31), 1), bytes.Repeat([]byte{0x7f}, 32))
	f.Fuzz(func(t *testing.T, r, s []byte) {
		size := max(len(r), len(s))
		if size > 66 {
			return
		}
		signature := make([]byte, 2*size)
		copy(signature[size-len(r):], r)
		copy(signature[2*size-len(s):], s)
		want, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)})
		if err != nil {
			t.Fatal(err)
		}
		if got := appendASN1([]byte("before"), signature); !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("got %x for %x and %x, want %x", got, r, s, want)
		}
	})
}
