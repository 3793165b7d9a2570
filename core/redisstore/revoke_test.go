package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// Revocations of tokens and of subjects are spread over the slots, like sessions.
func TestRevokeSlots(t *testing.T) {
	for _, row := range []struct {
		name       string
		revocation func(name string) session.Revocation
	}{
		{"token", tokenRevoked},
		{"subject", func(name string) session.Revocation {
			return session.Revocation{Issuer: "https://auth.example.com", Subject: name, Until: time.Now().Add(remember)}
		}},
	} {
		server := startServer(t)
		store := newStore(t, server.client(), redisstore.Config{})
		for i := range 64 {
			revoke(t, store, row.revocation(fmt.Sprint(i)))
		}
		streams, err := server.client().Keys(t.Context(), "*:revocations").Result()
		if err != nil || len(streams) < 8 {
			t.Errorf("%s: got %d streams, error %v; want most of 16", row.name, len(streams), err)
		}
	}
}

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
