package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"errors"

	"github.com/redis/go-redis/v9"
)

// The common parts of the scripts. Each part may use those above it.
var (
	//go:embed scripts/clock.lua
	clockLua string
	//go:embed scripts/slot.lua
	slotLua string
	//go:embed scripts/layout.lua
	layoutLua string
	//go:embed scripts/record.lua
	recordLua string
	//go:embed scripts/announce.lua
	announceLua string
	//go:embed scripts/finish.lua
	finishLua string
	//go:embed scripts/retire.lua
	retireLua string
	//go:embed scripts/live.lua
	liveLua string
)

// The last parts of the scripts, one for each script.
var (
	//go:embed scripts/create.lua
	createLua string
	//go:embed scripts/sweep.lua
	sweepLua string
	//go:embed scripts/find.lua
	findLua string
	//go:embed scripts/advance.lua
	advanceLua string
	//go:embed scripts/advanced.lua
	advancedLua string
	//go:embed scripts/confirm.lua
	confirmLua string
	//go:embed scripts/end.lua
	endLua string
	//go:embed scripts/revokeall.lua
	revokeAllLua string
	//go:embed scripts/endall.lua
	endAllLua string
	//go:embed scripts/list.lua
	listLua string
	//go:embed scripts/revoke.lua
	revokeLua string
	//go:embed scripts/barrier.lua
	barrierLua string
)

// scripts are all scripts of a Store. Redis executes each of them atomically.
type scripts struct {
	create, sweep, find, advance, confirm, end, revokeAll, endAll, list, revoke, barrier *redis.Script
}

// evenFull is the beginning of a script that a server without free memory executes,
// so that existing sessions can still be refreshed and ended there.
const evenFull = "#!lua flags=allow-oom\n"

// newScripts returns the scripts. Each of them begins with clock, which defines
// now as clock.lua does.
func newScripts(clock string) scripts {
	base := clock + slotLua
	records := layoutLua + recordLua
	ends := base + records + announceLua + finishLua
	return scripts{
		create: redis.NewScript(ends + liveLua + createLua),
		sweep:  redis.NewScript(base + records + sweepLua),
		find:   redis.NewScript(clock + layoutLua + findLua),
		// Defining functions costs more time than most steps of Advance, which return
		// before that.
		advance: redis.NewScript(evenFull + clock + layoutLua + advanceLua +
			slotLua + recordLua + announceLua + finishLua + retireLua + advancedLua),
		confirm:   redis.NewScript(evenFull + base + records + announceLua + retireLua + confirmLua),
		end:       redis.NewScript(evenFull + ends + endLua),
		revokeAll: redis.NewScript(evenFull + base + announceLua + revokeAllLua),
		endAll:    redis.NewScript(evenFull + ends + endAllLua),
		list:      redis.NewScript(base + records + listLua),
		revoke:    redis.NewScript(evenFull + base + announceLua + revokeLua),
		barrier:   redis.NewScript(evenFull + base + barrierLua),
	}
}

// A step is one execution of a script: the script, the slot of its keys, some of these
// keys (at least one), and its arguments.
type step struct {
	script *redis.Script
	slot   slot
	keys   []string
	args   []any
}

// attempt returns the arguments of a script that begin with a random attempt, by which
// the script recognizes that it was executed before; see slot.lua.
func attempt(args ...any) []any {
	return append(append(make([]any, 0, len(args)+1), rand.Text()), args...)
}

// run executes st, and returns the reply.
func (s *Store) run(ctx context.Context, st step) (any, error) {
	return s.runOn(ctx, s.client, st)
}

// runOn is run for a given client. If go-redis sends the script again, its
// arguments, and so its attempt, are the same.
func (s *Store) runOn(ctx context.Context, client redis.Scripter, st step) (any, error) {
	reply, err := st.script.Run(ctx, client, st.keys, st.args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // redis.Nil is the reply nil
		s.reload(ctx)
	}
	return reply, err
}

// master returns a client of the server that has the keys of the slot of.
func (s *Store) master(ctx context.Context, of slot) (*redis.Client, error) {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, of.stream())
	}
	return s.client.(*redis.Client), nil // as checked by New
}

// reload makes the client of a cluster ask, in the background, for the current
// master of each slot. If a server does not answer any more, the client asks
// only once a minute by itself.
func (s *Store) reload(ctx context.Context) {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
}
