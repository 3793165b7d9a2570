package redisstore_test

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// A revocation is one entry, whatever it revokes.
func TestRevokeOnce(t *testing.T) {
	from := time.UnixMilli(time.Now().UnixMilli())
	until := from.Add(remember)
	for _, r := range []session.Revocation{
		{Token: "a token", From: from, Until: until},
		{Session: session.NewID(ownerOf("alice")), From: from, Until: until},
		{Session: session.NewID(ownerOf("alice")), Generation: 7, From: from, Until: until},
		{Issuer: "https://auth.example.com", Subject: "alice", From: from, Until: until},
		{Issuer: "https://auth.example.com", Subject: "alice", Renew: true, From: from, Until: until},
	} {
		store := newStore(t, startServer(t).client(), redisstore.Config{})
		revoke(t, store, r)
		f := follow(t, store)
		f.mu.Lock()
		if len(f.heard) != 1 || f.heard[0] != r {
			t.Errorf("heard of %+v; want only %+v", f.heard, r)
		}
		f.mu.Unlock()
	}
}
