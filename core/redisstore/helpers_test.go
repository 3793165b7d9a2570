package redisstore_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

const (
	idle     = time.Hour
	remember = 20 * time.Minute
)

var (
	openWindow = session.Policy{Idle: idle, ReuseWindow: idle, Remember: remember}
	singleUse  = session.Policy{Idle: idle, Remember: remember}
)

func newStore(t *testing.T, client redis.UniversalClient, config redisstore.Config) *redisstore.Store {
	t.Helper()
	store, err := redisstore.New(client, config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// ownerOf returns the owner of the sessions of subject.
func ownerOf(subject string) session.Owner {
	return session.Owner{Issuer: "https://auth.example", Audience: "https://api.example", Subject: subject}
}

// all returns the end of all sessions of subject, except those in except.
func all(subject string, except ...session.ID) session.Ending {
	return session.Ending{Owner: ownerOf(subject), Except: except, Remember: remember, Revoke: remember}
}

// newSession returns a session to be created, and its first refresh token.
func newSession(subject string) (session.New, session.Presented) {
	token := session.Presented{ID: session.NewID(ownerOf(subject)), NonceHash: sha256.Sum256([]byte(rand.Text()))}
	return session.New{
		ID: token.ID, Owner: ownerOf(subject), NonceHash: token.NonceHash, UserAgent: "a browser",
		Idle: idle, Limit: 24 * time.Hour, Remember: remember,
	}, token
}

func create(t *testing.T, store session.Store, subject string) session.Presented {
	t.Helper()
	n, p := newSession(subject)
	if _, err := store.Create(t.Context(), n, session.Bound{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// advance presents p, and checks the verdict and the generation.
func advance(t *testing.T, store session.Store, p session.Presented, policy session.Policy, want session.Verdict, generation uint32) {
	t.Helper()
	r, verdict, err := store.Advance(t.Context(), p, policy)
	if err != nil || verdict != want || r.Generation != generation {
		t.Fatalf("got verdict %d, generation %d, error %v, want %d, %d", verdict, r.Generation, err, want, generation)
	}
}

// confirm reports a use of the given generation.
func confirm(t *testing.T, store session.Store, id session.ID, generation uint32) {
	t.Helper()
	if err := store.Confirm(t.Context(), []session.Confirmation{{ID: id, Generation: generation}}, singleUse); err != nil {
		t.Error(err)
	}
}

// tokenRevoked returns the revocation of a token.
func tokenRevoked(name string) session.Revocation {
	now := time.Now().Truncate(time.Millisecond)
	return session.Revocation{Token: name, From: now, Until: now.Add(remember)}
}

func revoke(t *testing.T, store session.Store, r session.Revocation) {
	t.Helper()
	if err := store.Revoke(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// A follower records what a feed announces, until the feed ends.
type follower struct {
	t     *testing.T
	ended chan error
	mu    sync.Mutex
	heard []session.Revocation
	beats int
}

func follow(t *testing.T, store session.Store) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, ended: make(chan error, 1)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		f.ended <- store.Feed(ctx, func(r session.Revocation) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.heard = append(f.heard, r)
		}, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.beats++
		})
	}()
	t.Cleanup(func() { cancel(); <-over })
	await(t, "a feed that is up to date", func() bool { return f.beat() > 0 })
	return f
}

func (f *follower) beat() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.beats
}

// count returns how many announced revocations are wanted.
func (f *follower) count(wanted func(session.Revocation) bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, r := range f.heard {
		if wanted(r) {
			n++
		}
	}
	return n
}

func ofToken(name string) func(session.Revocation) bool {
	return func(r session.Revocation) bool { return r.Token == name }
}

func ofSession(id session.ID) func(session.Revocation) bool {
	return func(r session.Revocation) bool { return r.Session == id }
}

func (f *follower) hears(what string, wanted func(session.Revocation) bool) {
	f.t.Helper()
	await(f.t, what+" is announced", func() bool { return f.count(wanted) > 0 })
}

// ends checks that the feed ends with an error within the given time, and
// returns the error.
func (f *follower) ends(within time.Duration) error {
	f.t.Helper()
	select {
	case err := <-f.ended:
		if err == nil {
			f.t.Fatal("the feed ended without an error")
		}
		return err
	case <-time.After(within):
		f.t.Fatalf("the feed still runs after %v", within)
		return nil
	}
}

func listed(t *testing.T, store session.Store, subject string) []session.ID {
	t.Helper()
	records, err := store.List(t.Context(), ownerOf(subject), session.Cursor{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var ids []session.ID
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

func sameIDs(a, b []session.ID) bool {
	order := func(a, b session.ID) int { return slices.Compare(a[:], b[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// followed reports whether a new feed gets up to date.
func followed(t *testing.T, store session.Store) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	up := false
	_ = store.Feed(ctx, func(session.Revocation) {}, func() { up = true; cancel() })
	return up
}
