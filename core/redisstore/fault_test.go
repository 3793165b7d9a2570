package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// slack is how late a call may return on a busy machine.
const slack = 2 * time.Second

// fails calls every method with a deadline, and checks that each call returns an
// error in time.
func fails(t *testing.T, store session.Store, p session.Presented, deadline time.Duration) error {
	t.Helper()
	var last error
	n, _ := newSession("mallory")
	for name, step := range map[string]func(ctx context.Context) error{
		"Create":  func(ctx context.Context) error { _, err := store.Create(ctx, n, session.Bound{}); return err },
		"Find":    func(ctx context.Context) error { _, _, err := store.Find(ctx, p.ID); return err },
		"Advance": func(ctx context.Context) error { _, _, err := store.Advance(ctx, p, openWindow); return err },
		"End":     func(ctx context.Context) error { _, err := store.End(ctx, n.ID, remember); return err },
		"EndAll":  func(ctx context.Context) error { _, _, err := store.EndAll(ctx, all("mallory")); return err },
		"List": func(ctx context.Context) error {
			_, err := store.List(ctx, ownerOf("mallory"), session.Cursor{}, 10)
			return err
		},
		"Revoke": func(ctx context.Context) error { return store.Revoke(ctx, tokenRevoked("mallory's")) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		start := time.Now()
		last = step(ctx)
		if took := time.Since(start); last == nil || took > deadline+slack {
			t.Errorf("%s: got error %v after %v, want one within %v", name, last, took, deadline)
		}
		cancel()
	}
	return last
}

// recovers waits until the store answers, and returns what Find says of p's
// session.
func recovers(t *testing.T, store session.Store, p session.Presented) (r session.Record, found bool) {
	t.Helper()
	await(t, "the store answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		r, found, err = store.Find(ctx, p.ID)
		return err == nil
	})
	return r, found
}

// Sessions, their ends and revocations that the server acknowledged are there
// after a crash.
func TestKilled(t *testing.T) {
	server := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
	store := newStore(t, server.client(), redisstore.Config{})
	p, ended := create(t, store, "alice"), create(t, store, "alice")
	advance(t, store, p, openWindow, session.Rotated, 1)
	if _, err := store.End(t.Context(), ended.ID, remember); err != nil {
		t.Fatal(err)
	}
	f := follow(t, store)
	server.kill()
	_ = f.ends(slack)
	_ = fails(t, store, p, 300*time.Millisecond)

	server.start()
	if r, found := recovers(t, store, p); !found || r.Generation != 1 {
		t.Errorf("found %v, generation %d, want 1", found, r.Generation)
	}
	advance(t, store, p, openWindow, session.Reissued, 1)
	advance(t, store, ended, openWindow, session.Revoked, 0)
	follow(t, store).hears("an end before the crash", ofSession(ended.ID))
}

// If the server does not answer, every call returns at its deadline.
func TestStopped(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	p := create(t, store, "alice")
	f := follow(t, store)
	server.signal(syscall.SIGSTOP)
	if err := fails(t, store, p, 300*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	_ = f.ends(3 * slack)

	server.signal(syscall.SIGCONT)
	recovers(t, store, p)
	// The server may have executed the calls that had returned an error.
	if r, verdict, err := store.Advance(t.Context(), p, openWindow); err != nil || !verdict.Good() || r.Generation != 1 {
		t.Errorf("got verdict %d, generation %d, error %v, want a good one, 1", verdict, r.Generation, err)
	}
}

func TestSlow(t *testing.T) {
	proxy := startProxy(t, startServer(t).addr)
	store := newStore(t, proxy.client(t), redisstore.Config{})
	p := create(t, store, "alice")
	f := follow(t, store)
	proxy.delay.Store(int64(100 * time.Millisecond))
	advance(t, store, p, openWindow, session.Rotated, 1)
	revoke(t, store, tokenRevoked("late"))
	f.hears("a revocation", ofToken("late"))
	proxy.delay.Store(int64(10 * time.Second))
	if err := fails(t, store, p, 300*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	_ = f.ends(3 * slack)
}

// A full server creates no sessions. Existing sessions can be refreshed and
// ended.
func TestFull(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	p, q := create(t, store, "alice"), create(t, store, "bob")
	server.do("CONFIG", "SET", "maxmemory", "1")
	n, _ := newSession("carol")
	if _, err := store.Create(t.Context(), n, session.Bound{}); !errors.Is(err, session.ErrFull) {
		t.Errorf("got error %v, want %v", err, session.ErrFull)
	}
	if got := listed(t, store, "carol"); len(got) != 0 {
		t.Errorf("listed %v, want none", got)
	}
	retire := openWindow
	retire.Retire = true
	advance(t, store, p, retire, session.Rotated, 1)
	f := follow(t, store)
	revoke(t, store, tokenRevoked("when full"))
	if live, err := store.End(t.Context(), p.ID, remember); !live || err != nil {
		t.Errorf("End: got live %v, error %v, want true, none", live, err)
	}
	if ended, _, err := store.EndAll(t.Context(), all("bob")); err != nil || !sameIDs(ended, []session.ID{q.ID}) {
		t.Errorf("EndAll: got %v, error %v, want %v", ended, err, q.ID)
	}
	f.hears("a revocation", ofToken("when full"))
	f.hears("an end", ofSession(p.ID))
	f.hears("an end", ofSession(q.ID))
	server.do("CONFIG", "SET", "maxmemory", "0")
	if _, err := store.Create(t.Context(), n, session.Bound{}); err != nil {
		t.Errorf("got error %v when there is room again, want none", err)
	}
}

// When the server is emptied, all sessions are gone. A running feed announces
// the revocations that come afterwards, although the IDs of their entries are
// lower than the last ID that the feed has read.
func TestEmptied(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	p := create(t, store, "alice")
	r := tokenRevoked("before")
	revoke(t, store, r)
	// An entry with the ID of a clock that is far ahead.
	for _, slot := range store.Slots() {
		if server.client().Exists(t.Context(), slot+":revocations").Val() > 0 {
			server.do("XADD", slot+":revocations", "99999999999999-0", "version", "1", "until", "99999999999999", "from", "0", "token", "ahead")
		}
	}
	f := follow(t, store)
	f.hears("a revocation of a time far ahead", ofToken("ahead"))
	server.do("FLUSHALL")
	if _, found, err := store.Find(t.Context(), p.ID); found || err != nil {
		t.Errorf("found %v, error %v, want false, none", found, err)
	}
	advance(t, store, p, openWindow, session.Unknown, 0)
	revoke(t, store, r)
	await(t, "a revocation announced again", func() bool { return f.count(ofToken("before")) > 1 })
	beats := f.beat()
	await(t, "up to date", func() bool { return f.beat() > beats })
}

func TestScriptsFlushed(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	p := create(t, store, "alice")
	for _, step := range []func() error{
		func() error { _, _, err := store.Find(t.Context(), p.ID); return err },
		func() error { _, _, err := store.Advance(t.Context(), p, openWindow); return err },
		func() error { _, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 10); return err },
		func() error { _, err := store.End(t.Context(), p.ID, remember); return err },
		func() error { _, _, err := store.EndAll(t.Context(), all("alice")); return err },
		func() error { return store.Revoke(t.Context(), tokenRevoked("any")) },
	} {
		server.do("SCRIPT", "FLUSH")
		if err := step(); err != nil {
			t.Errorf("got error %v, want none", err)
		}
	}
}

// After a restart with older data, sessions are healed. The server has lost the
// revocations since that data was saved: a new feed does not announce them.
func TestRestoredFromAnOlderSnapshot(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	p, ended := create(t, store, "alice"), create(t, store, "bob")
	advance(t, store, p, singleUse, session.Rotated, 1)
	server.do("SAVE")
	p.Generation = 1
	advance(t, store, p, singleUse, session.Rotated, 2)
	f := follow(t, store)
	if _, err := store.End(t.Context(), ended.ID, remember); err != nil {
		t.Fatal(err)
	}
	f.hears("an end", ofSession(ended.ID))
	server.kill()
	_ = f.ends(slack)
	server.start()
	recovers(t, store, p)
	p.Generation = 2
	advance(t, store, p, singleUse, session.Healed, 3)
	advance(t, store, ended, singleUse, session.Rotated, 1)
	if got := follow(t, store).count(ofSession(ended.ID)); got != 0 {
		t.Errorf("the end is announced %d times, want 0", got)
	}
}

// The feed ends when its master becomes a replica, even if the server becomes a
// master again at once.
func TestDemoted(t *testing.T) {
	for _, row := range []struct {
		name string
		then [][]any
	}{
		{"for good", [][]any{{"REPLICAOF", "127.0.0.1", "1"}}},
		{"for a moment", [][]any{{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := startServer(t)
			store := newStore(t, server.client(), redisstore.Config{})
			f := follow(t, store)
			admin := server.client().Pipeline()
			for _, command := range row.then {
				admin.Do(t.Context(), command...)
			}
			if _, err := admin.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Log(f.ends(slack))
		})
	}
}

// If the client has the address of a replica by mistake, Check says so, and
// nothing is read from the replica.
func TestReplica(t *testing.T) {
	master, replica := startServer(t), startServer(t)
	p := create(t, newStore(t, master.client(), redisstore.Config{}), "alice")
	replicate(t, master, replica)
	store := newStore(t, replica.client(), redisstore.Config{})
	if err := store.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "replica") {
		t.Errorf("Check: got error %v, want one that names the replica", err)
	}
	if err := store.Feed(t.Context(), func(session.Revocation) {}, func() { t.Error("up to date") }); err == nil {
		t.Error("Feed: got no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, _, err := store.Advance(ctx, p, openWindow); err == nil {
		t.Error("Advance: got no error")
	}
}

// endOnReplica ends the session id, and repeats that until a replica has it: on a busy
// machine, a replica can be late.
func endOnReplica(t *testing.T, store *redisstore.Store, id session.ID) {
	t.Helper()
	await(t, "a replica has the end of the session", func() bool {
		_, err := store.End(t.Context(), id, remember)
		return err == nil
	})
}

// After a failover, the sessions that the replica has go on there, and a new
// feed announces the past revocations.
func TestFailover(t *testing.T) {
	master, replica := startServer(t), startServer(t)
	replicate(t, master, replica)
	proxy := startProxy(t, master.addr)
	store := newStore(t, proxy.client(t), redisstore.Config{WaitReplicas: 1})
	p, ended := create(t, store, "alice"), create(t, store, "bob")
	advance(t, store, p, openWindow, session.Rotated, 1)
	endOnReplica(t, store, ended.ID)
	f := follow(t, store)
	master.kill()
	_ = f.ends(slack)
	replica.do("REPLICAOF", "NO", "ONE")
	proxy.server.Store(&replica.addr)
	recovers(t, store, p)
	if _, verdict, err := store.Advance(t.Context(), p, openWindow); err != nil || !verdict.Good() {
		t.Errorf("got verdict %d, error %v, want a good one", verdict, err)
	}
	advance(t, store, ended, openWindow, session.Revoked, 0)
	follow(t, store).hears("an end before the failover", ofSession(ended.ID))
}
