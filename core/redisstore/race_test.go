package redisstore_test

import (
	"sync"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// Of 64 refreshes at the same time, through two independent clients, one
// rotates the session, and the others get the same token.
func TestRaceOfTwoClients(t *testing.T) {
	server := startServer(t)
	stores := []session.Store{
		newStore(t, server.client(), redisstore.Config{}),
		newStore(t, server.client(), redisstore.Config{}),
	}
	for range 20 {
		p := create(t, stores[0], "alice")
		var verdicts [64]session.Verdict
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range verdicts {
			wg.Go(func() {
				<-start
				r, verdict, err := stores[i%2].Advance(t.Context(), p, openWindow)
				if err != nil || r.Generation != 1 {
					t.Errorf("got generation %d, error %v, want 1, none", r.Generation, err)
				}
				verdicts[i] = verdict
			})
		}
		close(start)
		wg.Wait()
		count := map[session.Verdict]int{}
		for _, v := range verdicts {
			count[v]++
		}
		if count[session.Rotated] != 1 || count[session.Reissued] != 63 {
			t.Errorf("got verdicts %v, want one %d and 63 of %d", count, session.Rotated, session.Reissued)
		}
	}
}
