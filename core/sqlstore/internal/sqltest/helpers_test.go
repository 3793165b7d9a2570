package sqltest

import (
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	idle     = time.Hour
	remember = 20 * time.Minute
)

var (
	openWindow = session.Policy{Idle: idle, ReuseWindow: idle, Remember: remember}
	singleUse  = session.Policy{Idle: idle, Remember: remember}
)

// ownerOf returns the owner of the sessions of a subject.
func ownerOf(subject string) session.Owner {
	return session.Owner{Issuer: "https://auth.example.com", Audience: "https://api.example.com", Subject: subject}
}

// newSession returns a session to be created, and its first refresh token.
func newSession(subject string) (session.New, session.Presented) {
	owner := ownerOf(subject)
	token := session.Presented{ID: session.NewID(owner), NonceHash: sha256.Sum256([]byte(rand.Text()))}
	return session.New{
		ID: token.ID, Owner: owner, NonceHash: token.NonceHash, UserAgent: "a browser",
		Idle: idle, Limit: 24 * time.Hour, Remember: remember,
	}, token
}

func create(t testing.TB, store session.Store, subject string) session.Presented {
	t.Helper()
	n, p := newSession(subject)
	if _, err := store.Create(t.Context(), n, session.Bound{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// advance presents p, and checks the verdict and the generation.
func advance(t testing.TB, store session.Store, p session.Presented, policy session.Policy, want session.Verdict, generation uint32) {
	t.Helper()
	r, verdict, err := store.Advance(t.Context(), p, policy)
	if err != nil || verdict != want || r.Generation != generation {
		t.Fatalf("got verdict %d, generation %d, error %v, want %d, %d", verdict, r.Generation, err, want, generation)
	}
}

func end(t testing.TB, store session.Store, id session.ID) {
	t.Helper()
	if live, err := store.End(t.Context(), id, remember); !live || err != nil {
		t.Fatalf("got live %v, error %v, want true, none", live, err)
	}
}

// tokenRevoked returns the revocation of a token.
func tokenRevoked(name string) session.Revocation {
	now := time.Now().Truncate(time.Millisecond)
	return session.Revocation{Token: name, From: now, Until: now.Add(remember)}
}

func revoke(t testing.TB, store session.Store, r session.Revocation) {
	t.Helper()
	if err := store.Revoke(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}
