package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// faults are what happens to the server of the store, one at a time and again and
// again. The server has kept every session that it confirmed, so no fault is a reason to
// sign anyone out.
type faults struct {
	server *programs.Redis
	counts map[string]int // by the name of the fault
}

// faultKinds are the kinds of faults. A fault lasts until ctx is done, and then the server
// works again.
var faultKinds = []struct {
	name string
	last func(ctx context.Context, server *programs.Redis)
}{
	{"crashed", func(ctx context.Context, server *programs.Redis) {
		server.Kill()
		<-ctx.Done()
		server.Start()
	}},
	{"hung", func(ctx context.Context, server *programs.Redis) {
		server.Signal(syscall.SIGSTOP)
		<-ctx.Done()
		server.Signal(syscall.SIGCONT)
	}},
	{"dropped connections", func(ctx context.Context, server *programs.Redis) {
		for server.DropClients(); pause(ctx, upTo(100*time.Millisecond)); {
			server.DropClients()
		}
	}},
}

// happen lets faults happen for the first three quarters of duration, or until ctx is
// done. The clients need the rest to notice what was lost.
func (f *faults) happen(ctx context.Context, duration time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, duration*3/4)
	defer cancel()
	apart := min(10*time.Second, duration/8)
	for pause(ctx, apart+upTo(apart)) {
		kind := faultKinds[oneOf(len(faultKinds))]
		ctx, cancel := context.WithTimeout(ctx, upTo(5*time.Second))
		kind.last(ctx, f.server)
		cancel()
		f.counts[kind.name]++
	}
}

// String returns how often each fault has happened.
func (f *faults) String() string {
	var counts []string
	for name, n := range f.counts {
		counts = append(counts, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(counts)
	return strings.Join(counts, ", ")
}
