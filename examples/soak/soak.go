package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// A soak is a number of clients and the applications that they use.
type soak struct {
	store   string
	took    time.Duration
	upload  time.Duration // of each upload
	sites   *sites
	clients []*client
	faults  *faults // nil without

	mu       sync.Mutex
	events   map[jwtgate.EventKind]int
	mistakes []string // the first ones
	wrong    int      // all of them
}

// A client is signed in for as long as a soak runs.
type client struct {
	name string
	act  func(ctx context.Context) // until ctx is done

	mu       sync.Mutex
	requests int
	signOuts int // answers 401 of routes that renew
	waits    int // answers 503
}

// newSoak starts the applications, and signs the clients in. With failing, the server of
// the store fails while they run.
func newSoak(t programs.T, store string, failing bool) *soak {
	t.Helper()
	s := &soak{store: store, events: make(map[jwtgate.EventKind]int)}
	newStore, server := stores(t, store)
	if failing {
		if server == nil {
			t.Fatalf("-store %s has no server that could fail: use -store redis", store)
		}
		s.faults = &faults{server: server, counts: make(map[string]int)}
	}
	s.sites = startSites(t, newStore, s.event)
	s.clients = []*client{
		s.newChromium(t),
		s.newReader(t),
		s.newProxied(t),
		s.newUploader(t),
		s.newDying(t),
	}
	return s
}

// run runs the clients for duration, or until ctx is done.
func (s *soak) run(ctx context.Context, duration time.Duration) {
	start := time.Now()
	s.upload = min(longUpload, duration/2)
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var all sync.WaitGroup
	for _, c := range s.clients {
		all.Go(func() { c.act(ctx) })
	}
	if s.faults != nil {
		s.faults.happen(ctx, duration)
	}
	all.Wait()
	s.took = time.Since(start)
}

// event counts an event of the applications.
func (s *soak) event(_ context.Context, e jwtgate.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events[e.Kind]++
}

// mistake records an answer that is wrong.
func (s *soak) mistake(c *client, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong++; len(s.mistakes) < 20 {
		s.mistakes = append(s.mistakes, time.Now().Format(time.TimeOnly)+" "+c.name+": "+fmt.Sprintf(format, args...))
	}
}

// answered counts an answer of a route that renews.
func (s *soak) answered(c *client, what string, status int) {
	c.mu.Lock()
	c.requests++
	switch status {
	case 401:
		c.signOuts++
	case 503:
		c.waits++
	}
	c.mu.Unlock()
	if status != 200 && status != 503 {
		s.mistake(c, "%s: got %d; want 200", what, status)
	}
}

// thefts returns how many sessions ended as stolen.
func (s *soak) thefts() int { return s.events[jwtgate.EventReused] }

// renewals returns how often a client got new tokens.
func (s *soak) renewals() int {
	return s.events[jwtgate.EventRotated] + s.events[jwtgate.EventRepeated]
}

// signOuts returns how often a client was found to be signed out.
func (s *soak) signOuts() (n int) {
	for _, c := range s.clients {
		n += c.signOuts
	}
	return n
}

func (s *soak) failed() bool { return s.wrong > 0 || s.thefts() > 0 || s.signOuts() > 0 }

// report returns what happened, after run.
func (s *soak) report() string {
	requests, waits := 0, 0
	var lines []string
	for _, c := range s.clients {
		requests += c.requests
		waits += c.waits
		lines = append(lines, fmt.Sprintf("  %-18s %7d requests, %d sign-outs, %d answers 503", c.name, c.requests, c.signOuts, c.waits))
	}
	head := fmt.Sprintf("%s, %v: %d requests, %d renewals (%d rotations), %d sign-outs, %d theft events, %d answers 503",
		s.store, s.took.Round(time.Second), requests, s.renewals(), s.events[jwtgate.EventRotated], s.signOuts(), s.thefts(), waits)
	var kinds []string
	for kind, n := range s.events {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(kinds)
	lines = append(append([]string{head}, lines...), "  events: "+strings.Join(kinds, ", "))
	if s.faults != nil {
		lines = append(lines, "  faults: "+s.faults.String())
	}
	return strings.Join(append(lines, s.mistakes...), "\n")
}
