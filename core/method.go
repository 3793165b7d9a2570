package jwtgate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"hash"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// A pooledMethod is golang-jwt's, but for Verify, which there takes memory for
// every check: for a hash, the token's bytes, the digest and, with ECDSA, numbers.
type pooledMethod struct {
	jwt.SigningMethod

	hashes *hashes
	check  func(key any, hash, signature []byte) bool
}

// Verify checks a signature by a key that keycheck.go let through.
func (m pooledMethod) Verify(signingInput string, signature []byte, key any) error {
	hash := m.hashes.get()
	defer m.hashes.put(hash)
	if !m.check(key, hash.of(signingInput), signature) {
		return jwt.ErrSignatureInvalid
	}
	return nil
}

// newHMAC returns m with its key set up, which costs as much as to use it.
func newHMAC(m *jwt.SigningMethodHMAC, secret []byte) jwt.SigningMethod {
	keyed := func() hash.Hash { return hmac.New(m.Hash.New, secret) }
	return pooledMethod{m, newHashes(keyed), func(_ any, mac, signature []byte) bool {
		return hmac.Equal(mac, signature)
	}}
}

func newPKCS1(m *jwt.SigningMethodRSA) jwt.SigningMethod {
	return pooledMethod{m, newHashes(m.Hash.New), func(key any, digest, signature []byte) bool {
		return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), m.Hash, digest, signature) == nil
	}}
}

// newPSS returns m with a salt that must be as long as the hash (RFC 7518 §3.5):
// golang-jwt accepts any.
func newPSS(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	return pooledMethod{m, newHashes(m.Hash.New), func(key any, digest, signature []byte) bool {
		return rsa.VerifyPSS(key.(*rsa.PublicKey), m.Hash, digest, signature, m.Options) == nil
	}}
}

func newECDSA(m *jwt.SigningMethodECDSA) jwt.SigningMethod {
	return pooledMethod{m, newHashes(m.Hash.New), func(key any, digest, signature []byte) bool {
		asn1 := appendASN1(make([]byte, 0, 2+1+maxASN1Numbers), signature)
		return ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest, asn1)
	}}
}

// appendASN1 appends signature, the numbers r and s side by side (RFC 7518 §3.4),
// to dst as crypto/ecdsa takes it: a SEQUENCE of the two (RFC 3279 §2.2.3).
func appendASN1(dst, signature []byte) []byte {
	const sequence, lengthOfOneByte = 0x30, 0x81
	half := len(signature) / 2
	numbers := make([]byte, 0, maxASN1Numbers)
	numbers = appendInteger(appendInteger(numbers, signature[:half]), signature[half:])
	dst = append(dst, sequence)
	if len(numbers) >= 0x80 {
		dst = append(dst, lengthOfOneByte)
	}
	return append(append(dst, byte(len(numbers))), numbers...) //nolint:gosec // at most 138
}

// maxASN1Numbers is the size of two INTEGERs of P-521, which have 66 bytes and
// perhaps a leading zero.
const maxASN1Numbers = 2 * (2 + 1 + 66)

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
}

func newHashes(fresh func() hash.Hash) *hashes {
	return &hashes{sync.Pool{New: func() any { return &hashState{hash: fresh()} }}}
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
