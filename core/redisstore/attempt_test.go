package redisstore_test

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// If the reply to a script is lost, go-redis sends the script again. The script
// is not executed a second time, and the reply is the same.
func TestAnswerLost(t *testing.T) {
	server := startServer(t)
	proxy := startProxy(t, server.addr)
	lossy := newStore(t, proxy.client(t), redisstore.Config{})
	store := newStore(t, server.client(), redisstore.Config{})
	if found, _, _ := lossy.Find(t.Context(), session.ID{}); found.ID != (session.ID{}) { // loads the script
		t.Fatal("found what was never created")
	}
	losing := func(t *testing.T, step func()) {
		t.Helper()
		proxy.lose.Store(1)
		step()
		if left := proxy.lose.Load(); left >= 0 {
			t.Fatal("no reply was lost")
		}
	}
	known := func(t *testing.T, p session.Presented) { // loads the scripts
		t.Helper()
		_, _, _ = store.Advance(t.Context(), session.Presented{ID: p.ID}, singleUse)
		_, _ = store.End(t.Context(), session.ID{}, remember)
		_, _, _ = store.EndAll(t.Context(), all("nobody"))
	}

	t.Run("Create", func(t *testing.T) {
		first := create(t, store, "alice")
		n, _ := newSession("alice")
		losing(t, func() {
			r, err := lossy.Create(t.Context(), n, session.Bound{Max: 1, Refuse: false})
			if err != nil || r.ID != n.ID {
				t.Errorf("got %v, error %v, want %v", r.ID, err, n.ID)
			}
		})
		if got := listed(t, store, "alice"); !sameIDs(got, []session.ID{n.ID}) {
			t.Errorf("listed %v, want %v, not %v", got, n.ID, first.ID)
		}
	})
	t.Run("Create, refusing", func(t *testing.T) {
		n, _ := newSession("agnes")
		losing(t, func() {
			if _, err := lossy.Create(t.Context(), n, session.Bound{Max: 1, Refuse: true}); err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	})
	t.Run("Advance", func(t *testing.T) {
		p := create(t, store, "bob")
		known(t, p)
		losing(t, func() { advance(t, lossy, p, singleUse, session.Rotated, 1) })
		advance(t, store, p, singleUse, session.Reissued, 1)
	})
	t.Run("Advance, displacing", func(t *testing.T) {
		p := create(t, store, "ben")
		advance(t, store, p, singleUse, session.Rotated, 1)
		advance(t, store, p, singleUse, session.Reissued, 1)
		p.Generation = 1
		advance(t, store, p, singleUse, session.Rotated, 2)
		losing(t, func() { advance(t, lossy, p, singleUse, session.Displaced, 3) })
	})
	// A confirmation between the two does not hide that the script was executed.
	t.Run("Advance, confirmed since", func(t *testing.T) {
		p := create(t, store, "bill")
		use := func() { confirm(t, store, p.ID, 1) }
		use() // loads the script
		proxy.lost.Store(&use)
		losing(t, func() { advance(t, lossy, p, singleUse, session.Rotated, 1) })
		advance(t, store, p, singleUse, session.Stolen, 1)
	})
	t.Run("Advance, healing", func(t *testing.T) {
		p := create(t, store, "bert")
		known(t, p)
		p.Generation = 5
		losing(t, func() { advance(t, lossy, p, singleUse, session.Healed, 6) })
	})
	t.Run("Advance, stolen", func(t *testing.T) {
		p := create(t, store, "carol")
		advance(t, store, p, singleUse, session.Rotated, 1)
		confirm(t, store, p.ID, 1)
		losing(t, func() { advance(t, lossy, p, singleUse, session.Stolen, 1) })
		advance(t, store, p, singleUse, session.Revoked, 1)
	})
	t.Run("Advance, ended since", func(t *testing.T) {
		p := create(t, store, "chris")
		advance(t, store, p, singleUse, session.Rotated, 1)
		if live, err := store.End(t.Context(), p.ID, remember); !live || err != nil {
			t.Fatal(live, err)
		}
		advance(t, store, p, singleUse, session.Revoked, 1)
	})
	t.Run("End", func(t *testing.T) {
		p := create(t, store, "dave")
		known(t, p)
		losing(t, func() {
			if live, err := lossy.End(t.Context(), p.ID, remember); !live || err != nil {
				t.Errorf("got live %v, error %v, want true, none", live, err)
			}
		})
	})
	t.Run("EndAll", func(t *testing.T) {
		want := []session.ID{create(t, store, "erin").ID, create(t, store, "erin").ID}
		known(t, session.Presented{})
		time.Sleep(2 * time.Millisecond) // EndAll may end a session of the same millisecond that is created while it runs
		since := make(chan session.ID, 1)
		login := func() { since <- create(t, store, "erin").ID }
		proxy.lost.Store(&login)
		losing(t, func() {
			if ended, _, err := lossy.EndAll(t.Context(), all("erin")); !sameIDs(ended, want) || err != nil {
				t.Errorf("ended %v, error %v, want %v", ended, err, want)
			}
		})
		if got := listed(t, store, "erin"); !sameIDs(got, []session.ID{<-since}) {
			t.Errorf("listed %v, want only the session created in the meantime", got)
		}
	})
}
