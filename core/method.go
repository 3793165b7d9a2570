package core

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"hash"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// The methods here are golang-jwt's, but for Verify, which there takes memory for
// every check: for a hash, the token's bytes, the digest and, with ECDSA, numbers.
// The keys they are given are those that keycheck.go let through.

// hmacMethod has its key set up, which costs as much as to use it.
type hmacMethod struct {
	*jwt.SigningMethodHMAC

	macs *hashes
}

func newHMAC(m *jwt.SigningMethodHMAC, secret []byte) hmacMethod {
	return hmacMethod{m, newHashes(func() hash.Hash { return hmac.New(m.Hash.New, secret) })}
}

// Verify checks a signature by the key that m has.
func (m hmacMethod) Verify(signingInput string, signature []byte, _ any) error {
	mac := m.macs.get()
	defer m.macs.put(mac)
	if !hmac.Equal(mac.of(signingInput), signature) {
		return jwt.ErrSignatureInvalid
	}
	return nil
}

type pkcs1Method struct {
	*jwt.SigningMethodRSA

	digests *hashes
}

func newPKCS1(m *jwt.SigningMethodRSA) pkcs1Method {
	return pkcs1Method{m, newHashes(m.Hash.New)}
}

// Verify checks a signature by an *rsa.PublicKey.
func (m pkcs1Method) Verify(signingInput string, signature []byte, key any) error {
	digest := m.digests.get()
	defer m.digests.put(digest)
	return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), m.Hash, digest.of(signingInput), signature)
}

type pssMethod struct {
	*jwt.SigningMethodRSAPSS

	digests *hashes
}

func newPSS(m *jwt.SigningMethodRSAPSS) pssMethod {
	return pssMethod{m, newHashes(m.Hash.New)}
}

// Verify checks a signature by an *rsa.PublicKey. The salt must be as long as the
// hash (RFC 7518 §3.5): golang-jwt accepts any.
func (m pssMethod) Verify(signingInput string, signature []byte, key any) error {
	digest := m.digests.get()
	defer m.digests.put(digest)
	return rsa.VerifyPSS(key.(*rsa.PublicKey), m.Hash, digest.of(signingInput), signature, m.Options)
}

type ecdsaMethod struct {
	*jwt.SigningMethodECDSA

	digests *hashes
}

func newECDSA(m *jwt.SigningMethodECDSA) ecdsaMethod {
	return ecdsaMethod{m, newHashes(m.Hash.New)}
}

// Verify checks a signature by an *ecdsa.PublicKey.
func (m ecdsaMethod) Verify(signingInput string, signature []byte, key any) error {
	digest := m.digests.get()
	defer m.digests.put(digest)
	digest.asn1 = appendASN1(digest.asn1[:0], signature)
	if !ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest.of(signingInput), digest.asn1) {
		return jwt.ErrSignatureInvalid
	}
	return nil
}

// appendASN1 appends signature, the numbers r and s side by side (RFC 7518 §3.4),
// to dst as crypto/ecdsa takes it: a SEQUENCE of the two (RFC 3279 §2.2.3).
func appendASN1(dst, signature []byte) []byte {
	const sequence, lengthOfOneByte = 0x30, 0x81
	half := len(signature) / 2
	numbers := make([]byte, 0, 2*(2+1+maxECDSANumber))
	numbers = appendInteger(appendInteger(numbers, signature[:half]), signature[half:])
	dst = append(dst, sequence)
	if len(numbers) >= 0x80 {
		dst = append(dst, lengthOfOneByte)
	}
	return append(append(dst, byte(len(numbers))), numbers...) //nolint:gosec // at most 138
}

// maxECDSANumber is the size of the numbers of P-521 in bytes.
const maxECDSANumber = 66

// appendInteger appends number, which is not negative, to dst as an INTEGER.
func appendInteger(dst, number []byte) []byte {
	const integer = 0x02
	number = bytes.TrimLeft(number, "\x00")
	if len(number) > 0 && number[0] < 0x80 {
		return append(append(dst, integer, byte(len(number))), number...) //nolint:gosec // at most 66
	}
	// A number without a byte has one all the same, and a high bit would be a sign.
	return append(append(dst, integer, byte(1+len(number)), 0), number...) //nolint:gosec // at most 67
}

// hashes are hash states, ready to be used again. They are safe for concurrent use.
type hashes struct{ pool sync.Pool }

// hashState is what one check of a signature needs.
type hashState struct {
	hash  hash.Hash
	input []byte // hash.Hash takes no string
	sum   []byte
	asn1  []byte
}

func newHashes(make func() hash.Hash) *hashes {
	return &hashes{sync.Pool{New: func() any { return &hashState{hash: make()} }}}
}

func (h *hashes) get() *hashState  { return h.pool.Get().(*hashState) }
func (h *hashes) put(s *hashState) { h.pool.Put(s) }

// of returns the hash of input. It is good until s is used again.
func (s *hashState) of(input string) []byte {
	s.hash.Reset()
	s.input = append(s.input[:0], input...)
	s.hash.Write(s.input)
	s.sum = s.hash.Sum(s.sum[:0])
	return s.sum
}
