package core

import (
	"crypto/hmac"
	"hash"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// keyedHMAC is an HMAC algorithm with its key set up, which costs as much as to
// use it. The key that golang-jwt hands on is the same one.
type keyedHMAC struct {
	*jwt.SigningMethodHMAC

	states sync.Pool // of *hmacState
}

// hmacState is what one check of a signature needs.
type hmacState struct {
	mac   hash.Hash
	input []byte // hash.Hash takes no string
	sum   []byte
}

func newKeyedHMAC(m *jwt.SigningMethodHMAC, secret []byte) *keyedHMAC {
	return &keyedHMAC{m, sync.Pool{New: func() any {
		return &hmacState{mac: hmac.New(m.Hash.New, secret)}
	}}}
}

// Verify checks a signature.
func (m *keyedHMAC) Verify(signingInput string, signature []byte, _ any) error {
	s := m.states.Get().(*hmacState)
	defer m.states.Put(s)
	s.mac.Reset()
	s.input = append(s.input[:0], signingInput...)
	s.mac.Write(s.input)
	s.sum = s.mac.Sum(s.sum[:0])
	if !hmac.Equal(s.sum, signature) {
		return jwt.ErrSignatureInvalid
	}
	return nil
}
