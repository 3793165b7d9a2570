package jwtgate

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// HeldRevocations returns how many revocations a has in memory.
func (a *Auth) HeldRevocations() int { return int(a.sessions.revoked.held.Load()) }

// CheckRevoked reports whether a refuses id, found good, all the same.
func (a *Auth) CheckRevoked(ctx context.Context, id *Identity, now time.Time) bool {
	return a.checkRevoked(ctx, id, now) != nil
}

// Verifies reports whether signature is one of signingInput by k.
func Verifies(k Key, signingInput string, signature []byte) bool {
	return k.material.verify(signingInput, signature) == nil
}

// AppendASN1 puts a signature of ECDSA in the form that crypto/ecdsa takes.
var AppendASN1 = appendASN1

// Counted returns k, and has checks count how many signatures are checked by it.
func Counted(k Key, checks *atomic.Int64) Key {
	counted := *k.material
	counted.method.SigningMethod = countedMethod{counted.method.SigningMethod, checks}
	return Key{&counted}
}

type countedMethod struct {
	jwt.SigningMethod

	checks *atomic.Int64
}

func (m countedMethod) Verify(signingInput string, signature []byte, key any) error {
	m.checks.Add(1)
	return m.SigningMethod.Verify(signingInput, signature, key)
}

// CachedTokens returns how many tokens a remembers.
func (a *Auth) CachedTokens() int {
	n := 0
	for i := range a.cache.sets {
		for j := range a.cache.sets[i].slots {
			if a.cache.sets[i].slots[j].Load() != nil {
				n++
			}
		}
	}
	return n
}
