package bench_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
)

// benchmarkSignature measures only the standard library's check of a signature, with the
// digest, which is the minimum for every verifier.
func benchmarkSignature(b *testing.B, k *key) {
	token := k.token(b, 0)
	dot := strings.LastIndexByte(token, '.')
	check := signatureCheck(k, []byte(token[:dot]), must(base64.RawURLEncoding.DecodeString(token[dot+1:])))
	loop(b, func(_ int) {
		if !check() {
			b.Fatal("the signature does not match")
		}
	})
}

func signatureCheck(k *key, message, signature []byte) func() bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return func() bool {
			digest := sha256.Sum256(message)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		der := derSignature(signature)
		return func() bool {
			digest := sha256.Sum256(message)
			return ecdsa.VerifyASN1(public, digest[:], der)
		}
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(public, message, signature) }
	}
	mac := hmac.New(sha256.New, secret)
	sum := make([]byte, 0, sha256.Size)
	return func() bool {
		mac.Reset()
		mac.Write(message)
		return hmac.Equal(mac.Sum(sum), signature)
	}
}

// derSignature converts a JWS signature of P-256 to the ASN.1 form of VerifyASN1.
func derSignature(signature []byte) []byte {
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return must(asn1.Marshal(struct{ R, S *big.Int }{r, s}))
}
