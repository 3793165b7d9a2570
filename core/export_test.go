package jwtgate

import (
	"context"
	"reflect"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// HeldRevocations returns how many revocations a has in memory.
func (a *Auth) HeldRevocations() int { return int(a.sessions.revoked.held.Load()) }

// CheckRevoked reports whether a refuses id, found good, all the same.
func (a *Auth) CheckRevoked(ctx context.Context, id *Identity, now time.Time) bool {
	return a.checkRevoked(ctx, id, now) != nil
}

// CachedTokens returns how many tokens a has in its cache, and their size.
func (a *Auth) CachedTokens() (n int, size int64) {
	for i := range a.cache.sets {
		for j := range a.cache.sets[i].slots {
			if v := a.cache.sets[i].slots[j].Load(); v != nil {
				n++
				size += v.size()
			}
		}
	}
	return n, size
}

// CountedBytes returns the size of the tokens in a's cache as the cache counts it.
func (a *Auth) CountedBytes() int64 {
	size := int64(0)
	for i := range a.cache.sets {
		size += a.cache.sets[i].size.Load()
	}
	return size
}

// CachedSize returns the size of a token with payload in a cache.
func CachedSize(token, payload string) int64 {
	return (&cachedToken{token: token, identity: &Identity{payload: payload}}).size()
}

// Watches returns how many tokens a watches.
func (a *Auth) Watches() int { return len(a.sessions.revoked.watches.all()) }

// SelectClaims returns the part of payload that is decoded into a value of type t.
func SelectClaims(t reflect.Type, payload string) string {
	names := claimNames(t)
	if names == nil {
		return payload
	}
	return string(jose.Select(payload, names))
}

// HeldSessionKeys returns how many of its SessionConfig.Keys a holds outside of its codec.
func (a *Auth) HeldSessionKeys() int { return len(a.config.Sessions.Keys) + len(a.sessions.Keys) }
