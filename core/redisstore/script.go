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

// The parts of scripts, in the order in which they build on one another.
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
)

// The steps of a Store.
var (
	//go:embed scripts/create.lua
	createLua string
	//go:embed scripts/find.lua
	findLua string
	//go:embed scripts/advance.lua
	advanceLua string
	//go:embed scripts/end.lua
	endLua string
	//go:embed scripts/endall.lua
	endAllLua string
	//go:embed scripts/index.lua
	indexLua string
	//go:embed scripts/list.lua
	listLua string
	//go:embed scripts/revoke.lua
	revokeLua string
)

// scripts are the steps of a Store. Redis runs each with nothing in between.
type scripts struct {
	create, find, advance, end, endAll, index, list, revoke *redis.Script
}

// newScripts returns the scripts that go by clock.
func newScripts(clock string) scripts {
	base := clock + slotLua
	reads := base + recordLua
	ends := base + evenFullLua + recordLua + announceLua + finishLua
	return scripts{
		create:  redis.NewScript(reads + announceLua + finishLua + createLua),
		find:    redis.NewScript(reads + findLua),
		advance: redis.NewScript(ends + advanceLua),
		end:     redis.NewScript(ends + endLua),
		endAll:  redis.NewScript(ends + endAllLua),
		index:   redis.NewScript(base + indexLua),
		list:    redis.NewScript(reads + listLua),
		revoke:  redis.NewScript(base + evenFullLua + announceLua + revokeLua),
	}
}

// A step is a script with what it is about.
type step struct {
	script *redis.Script
	slot   slot
	keys   []string
	args   []any
}

// run takes st, and returns the reply.
func (s *Store) run(ctx context.Context, st step) (any, error) {
	return s.runOn(ctx, s.client, st)
}

// runOn is run by a client. What go-redis sends again has the same attempt, by
// which the scripts know it.
func (s *Store) runOn(ctx context.Context, client redis.Scripter, st step) (any, error) {
	args := append([]any{string(st.slot), rand.Text()}, st.args...)
	reply, err := st.script.Run(ctx, client, st.keys, args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // which is an answer: nothing
		s.reload(ctx)
	}
	return reply, err
}

// runList is run for a script whose reply is a list.
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

// replicaWait is how long replicas have to catch up.
const replicaWait = time.Second

// runReplicated is run, and if revoked says so of the reply, waits for the
// replicas that the configuration asks for.
func (s *Store) runReplicated(ctx context.Context, st step, revoked func(reply any) bool) (any, error) {
	if s.config.WaitReplicas == 0 {
		return s.run(ctx, st)
	}
	master, err := s.master(ctx, st.slot)
	if err != nil {
		return nil, err
	}
	// WAIT is about all that its own connection has seen written.
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
		return nil, fmt.Errorf("the step was taken, but is on %d replicas within %v, not on Config.WaitReplicas = %d", replicas, replicaWait, s.config.WaitReplicas)
	}
	return reply, nil
}

// master returns the client of the server that has what is in slot.
func (s *Store) master(ctx context.Context, of slot) (*redis.Client, error) {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, of.stream())
	}
	return s.client.(*redis.Client), nil // New saw to it
}

// reload has a cluster's client find out, behind our back, who is master of what
// now. By itself it does so once a minute, if a server says nothing any more.
func (s *Store) reload(ctx context.Context) {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
}
