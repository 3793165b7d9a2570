package redisstore_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// The name of every key has the prefix, the version and a slot, and every key
// has a time to live. No key contains a nonce, which a token is made of.
func TestKeys(t *testing.T) {
	server := startServer(t)
	client := server.client()
	store := newStore(t, client, redisstore.Config{Prefix: "app"})
	nonce := []byte(rand.Text())
	p := session.Presented{ID: session.NewID(ownerOf("alice")), NonceHash: sha256.Sum256(nonce)}
	if _, err := store.Create(t.Context(), session.New{
		ID: p.ID, Owner: ownerOf("alice"), NonceHash: p.NonceHash, Idle: idle, Limit: 24 * time.Hour, Remember: remember,
	}, session.Bound{Max: 3}); err != nil {
		t.Fatal(err)
	}
	retire := openWindow
	retire.Retire = true
	advance(t, store, p, retire, session.Rotated, 1)
	if err := store.Confirm(t.Context(), []session.Confirmation{{ID: p.ID, Generation: 1}}, retire); err != nil {
		t.Fatal(err)
	}
	ended := create(t, store, "alice")
	if _, err := store.End(t.Context(), ended.ID, 2*remember); err != nil {
		t.Fatal(err)
	}
	limited, _ := newSession("carol")
	limited.Limit = idle / 2
	if _, err := store.Create(t.Context(), limited, session.Bound{}); err != nil {
		t.Fatal(err)
	}
	create(t, store, "bob")
	if _, _, err := store.EndAll(t.Context(), all("bob")); err != nil {
		t.Fatal(err)
	}
	revoke(t, store, tokenRevoked("jti"))

	slot := func(subject string) string { return store.Slots()[ownerOf(subject).Slot()%16] }
	lives := map[string]time.Duration{
		slot("alice") + ":session:" + p.ID.String():                                 idle,
		slot("alice") + ":session:" + ended.ID.String():                             2 * remember,
		slot("carol") + ":session:" + limited.ID.String():                           idle / 2,
		slot("alice") + ":owner:20:19:https://auth.examplehttps://api.examplealice": 24 * time.Hour,
		slot("alice") + ":revocations":                                              idle + remember, // announced from the end of the window on
	}
	keys := client.Keys(t.Context(), "*").Val()
	for key := range lives {
		if !slices.Contains(keys, key) {
			t.Errorf("no key %s in %q", key, keys)
		}
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "app:2:{") {
			t.Errorf("key %s does not have the prefix", key)
		}
		life := client.PTTL(t.Context(), key).Val()
		if life <= 0 {
			t.Errorf("key %s has no time to live", key)
		}
		if want, ok := lives[key]; ok && (life > want || life < want-slack) {
			t.Errorf("key %s lives for %v, want %v", key, life, want)
		}
		content, err := client.Dump(t.Context(), key).Result()
		if err != nil || bytes.Contains([]byte(content), nonce) {
			t.Errorf("key %s: got error %v, or a nonce in its value", key, err)
		}
	}
	// A stream and its origin expire at the same time.
	for _, s := range store.Slots() {
		if a, b := client.PExpireTime(t.Context(), s+":revocations").Val(), client.PExpireTime(t.Context(), s+":origin").Val(); a != b {
			t.Errorf("slot %s: the stream ends at %v, its origin at %v", s, a, b)
		}
	}
}

// The index of a subject does not grow when its sessions are created and expire.
func TestSubjectIsSwept(t *testing.T) {
	for _, bound := range []session.Bound{{}, {Max: 1000}} {
		client := startServer(t).client()
		store := newStore(t, client, redisstore.Config{})
		create(t, store, "alice") // stays live
		for range 300 {
			n, _ := newSession("alice")
			n.Idle = time.Millisecond
			if _, err := store.Create(t.Context(), n, bound); err != nil {
				t.Fatal(err)
			}
		}
		key := store.Slots()[ownerOf("alice").Slot()%16] + ":owner:20:19:https://auth.examplehttps://api.examplealice"
		if n := client.ZCard(t.Context(), key).Val(); n > 60 {
			t.Errorf("%+v: the index has %d members, want few", bound, n)
		}
	}
}

// Stores with different prefixes have no sessions in common.
func TestPrefix(t *testing.T) {
	client := startServer(t).client()
	store, other := newStore(t, client, redisstore.Config{}), newStore(t, client, redisstore.Config{Prefix: "other"})
	p := create(t, store, "alice")
	if _, found, err := other.Find(t.Context(), p.ID); found || err != nil {
		t.Errorf("found %v, error %v, want false, none", found, err)
	}
}

// The hash tags of the slots are in the middles of 16 equal parts of a cluster's
// key space.
func TestSlots(t *testing.T) {
	store := newStore(t, redis.NewClient(&redis.Options{ContextTimeoutEnabled: true}), redisstore.Config{})
	for i, slot := range store.Slots() {
		_, tag, _ := strings.Cut(slot, "{")
		if got, want := crc16(strings.TrimSuffix(tag, "}"))%16384, uint16(i*1024+512); got != want {
			t.Errorf("slot %s: got hash slot %d, want %d", slot, got, want)
		}
	}
}

// crc16 is CRC-16/XMODEM, by which a cluster assigns keys to hash slots.
func crc16(s string) (crc uint16) {
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
	}
	return crc
}

// A stream of revocations with different times to live has few expired entries.
func TestStreamIsTrimmed(t *testing.T) {
	const long, short = 50, 5000
	client := startServer(t).client()
	store := newStore(t, client, redisstore.Config{})
	now, id := time.Now(), session.NewID(ownerOf("alice"))
	revokeFor := func(life time.Duration) { // one session, so one slot
		revoke(t, store, session.Revocation{Session: id, From: now, Until: time.Now().Add(life)})
	}
	key := store.Slots()[ownerOf("alice").Slot()%16] + ":revocations"
	most := int64(0)
	for i := range short {
		if i%(short/long) == 0 {
			revokeFor(time.Hour)
		}
		revokeFor(time.Millisecond)
		most = max(most, client.XLen(t.Context(), key).Val())
	}
	if most > 3*long {
		t.Errorf("the stream had up to %d entries, want at most %d", most, 3*long)
	}
	held := 0
	for _, entry := range client.XRange(t.Context(), key, "-", "+").Val() {
		if entry.Values["until"].(string) > fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()) {
			held++
		}
	}
	if held != long {
		t.Errorf("the stream has %d entries that have not expired, want %d", held, long)
	}
}

// The sessions of a subject with many sessions are read in parts, so that the
// server can execute other commands in between.
func TestLongList(t *testing.T) {
	t.Parallel()
	client := startServer(t).client()
	store := newStore(t, client, redisstore.Config{})
	var want []session.ID
	for range 1200 {
		want = append(want, create(t, store, "alice").ID)
	}
	if got := listed(t, store, "alice"); !sameIDs(got, want) { // loads the scripts, too
		t.Errorf("got %d sessions, want %d", len(got), len(want))
	}
	if err := client.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	_ = listed(t, store, "alice")
	stats, err := client.InfoMap(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if got := stats["Commandstats"]["cmdstat_evalsha"]; !strings.HasPrefix(got, "calls=3,") {
		t.Errorf("got %s, want one script for each 500 sessions", got)
	}
}
