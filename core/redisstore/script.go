package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// The common parts of the scripts. Each part may use those above it.
var (
	//go:embed scripts/clock.lua
	clockLua string
	//go:embed scripts/slot.lua
	slotLua string
	//go:embed scripts/evenfull.lua
	evenFullLua string
	//go:embed scripts/record.lua
	recordLua string
	//go:embed scripts/announce.lua
	announceLua string
	//go:embed scripts/finish.lua
	finishLua string
	//go:embed scripts/retire.lua
	retireLua string
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
)

// scripts are all scripts of a Store. Redis executes each of them atomically.
type scripts struct {
	create, sweep, find, advance, confirm, end, revokeAll, endAll, list, revoke *redis.Script
}

// newScripts returns the scripts. Each of them begins with clock, which defines
// now as clock.lua does.
func newScripts(clock string) scripts {
	base := clock + slotLua
	reads := base + recordLua
	ends := base + evenFullLua + recordLua + announceLua + finishLua
	return scripts{
		create:    redis.NewScript(reads + announceLua + finishLua + createLua),
		sweep:     redis.NewScript(reads + sweepLua),
		find:      redis.NewScript(reads + findLua),
		advance:   redis.NewScript(ends + retireLua + advanceLua),
		confirm:   redis.NewScript(base + evenFullLua + recordLua + announceLua + retireLua + confirmLua),
		end:       redis.NewScript(ends + endLua),
		revokeAll: redis.NewScript(base + evenFullLua + announceLua + revokeAllLua),
		endAll:    redis.NewScript(ends + endAllLua),
		list:      redis.NewScript(reads + listLua),
		revoke:    redis.NewScript(base + evenFullLua + announceLua + revokeLua),
	}
}

// A step is one execution of a script: the script, the slot of its keys, and its
// arguments.
type step struct {
	script *redis.Script
	slot   slot
	keys   []string
	args   []any
}

// run executes st, and returns the reply.
func (s *Store) run(ctx context.Context, st step) (any, error) {
	return s.runOn(ctx, s.client, st)
}

// runOn is run for a given client. If go-redis sends the script again, its
// arguments, and so its attempt, are the same; see slot.lua.
func (s *Store) runOn(ctx context.Context, client redis.Scripter, st step) (any, error) {
	args := append([]any{string(st.slot), rand.Text()}, st.args...)
	reply, err := st.script.Run(ctx, client, st.keys, args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // redis.Nil is the reply nil
		s.reload(ctx)
	}
	return reply, err
}

// runList is run for a script that replies with a list.
func (s *Store) runList(ctx context.Context, st step) ([]any, error) {
	reply, err := s.run(ctx, st)
	if err != nil {
		return nil, err
	}
	list, ok := reply.([]any)
	if !ok {
		return nil, errReply
	}
	return list, nil
}

// replicaWait is how long a step waits for replicas.
const replicaWait = time.Second

// runReplicated is run. If revoked reports true for the reply, runReplicated
// then waits until Config.WaitReplicas replicas have the writes of the step.
func (s *Store) runReplicated(ctx context.Context, st step, revoked func(reply any) bool) (any, error) {
	if s.config.WaitReplicas == 0 {
		return s.run(ctx, st)
	}
	master, err := s.master(ctx, st.slot)
	if err != nil {
		return nil, err
	}
	// WAIT covers only the writes of its own connection.
	conn := master.Conn()
	defer func() { _ = conn.Close() }()
	reply, err := s.runOn(ctx, conn, st)
	if err != nil || !revoked(reply) {
		return reply, err
	}
	replicas, err := conn.Wait(ctx, s.config.WaitReplicas, replicaWait).Result()
	if err != nil {
		return nil, err
	}
	if replicas < int64(s.config.WaitReplicas) {
		return nil, fmt.Errorf("the server executed the step, but only %d replicas had it within %v, and Config.WaitReplicas is %d: repeat the call", replicas, replicaWait, s.config.WaitReplicas)
	}
	return reply, nil
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
