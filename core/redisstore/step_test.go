package redisstore_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// The script, the memory store and [session.Step] agree in a random sequence of
// steps, with a clock that is sometimes set back.
func TestAgreement(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	client := startServer(t).client()
	inRedis, err := redisstore.NewWithClock(client, redisstore.Config{}, keyClock)
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(time.Now().AddDate(1, 0, 0).UnixMilli())
	inMemory := session.NewMemory(0, func() time.Time { return now })
	stores := []session.Store{inRedis, inMemory}

	const steps = 20_000
	verdicts := map[session.Verdict]int{}
	var record session.Record
	for i := range steps {
		now = now.Add([]time.Duration{
			0, 0, 0, 1, 999, 1000, 1001, 1999, 2000, 2999, 3000, 9999, 10_000, 10_001, 20_000, 30_000, 60_000, -1, -999, -1000, -20_000,
		}[random.IntN(21)] * time.Millisecond)
		setClock(t, client, inRedis, now)
		if record.Ended != session.Live || !record.LiveAt(now) || i%1000 == 0 {
			n, _ := newSession("user " + strconv.Itoa(i))
			n.Limit = 2 * time.Hour
			for _, store := range stores {
				if record, err = store.Create(t.Context(), n, session.Bound{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if c := (session.Confirmation{ID: record.ID, Generation: record.Generation - random.Uint32N(2)}); random.IntN(4) == 0 {
			record, _ = session.Confirm(record, c, now)
			for name, store := range map[string]session.Store{"Redis": inRedis, "memory": inMemory} {
				err := store.Confirm(t.Context(), []session.Confirmation{c}, session.Policy{})
				if got, found, _ := store.Find(t.Context(), c.ID); err != nil || found && got != record {
					t.Fatalf("seed %d, step %d: %s: got error %v, record\n%+v\nwant\n%+v\nafter %+v at %v", seed, i, name, err, got, record, c, now)
				}
			}
		}
		policy := session.Policy{
			Idle:        []time.Duration{time.Minute, time.Hour}[random.IntN(2)],
			ReuseWindow: []time.Duration{0, time.Second, 10 * time.Second, 10 * time.Second, 10*time.Second - time.Microsecond}[random.IntN(5)],
			Remember:    remember,
		}
		p := session.Presented{ID: record.ID, NonceHash: record.NonceHash, Generation: record.Generation}
		switch random.IntN(12) {
		case 0, 1:
			p.Generation--
		case 2, 7:
			p.Generation = record.Parent
		case 3:
			p.Generation += random.Uint32N(4)
		case 4:
			p.Generation += random.Uint32N(100)
		case 5:
			p.Generation = []uint32{0, math.MaxUint32, math.MaxUint32 - 1, random.Uint32()}[random.IntN(4)]
		case 6:
			p.NonceHash[random.IntN(32)] ^= 1
		}
		want, wanted := session.Step(record, p, now, policy)
		for name, store := range map[string]session.Store{"Redis": inRedis, "memory": inMemory} {
			got, verdict, err := store.Advance(t.Context(), p, policy)
			if err != nil || verdict != wanted || got != want {
				t.Fatalf("seed %d, step %d: %s: got verdict %d, error %v, record\n%+v\nwant %d\n%+v\nfor %+v of\n%+v\nat %v by %+v",
					seed, i, name, verdict, err, got, wanted, want, p, record, now, policy)
			}
		}
		verdicts[wanted]++
		record = want
	}
	t.Logf("verdicts %v", verdicts)
	for v := session.Rotated; v <= session.Stolen; v++ {
		if v != session.Unknown && v != session.Revoked && verdicts[v] == 0 {
			t.Errorf("verdict %d never occurred", v)
		}
	}
}
