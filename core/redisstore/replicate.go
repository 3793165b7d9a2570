package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// replicaWait is how long a step waits for replicas.
	replicaWait = time.Second

	// replicaTimeout is how long a client waits for the reply to WAIT.
	replicaTimeout = replicaWait + 2*time.Second
)

// runReplicated is run. If ends reports true for the reply, runReplicated then
// waits until Config.WaitReplicas replicas have all writes of the server until
// now.
func (s *Store) runReplicated(ctx context.Context, st step, ends func(reply any) bool) (any, error) {
	if s.config.WaitReplicas == 0 {
		return s.run(ctx, st)
	}
	master, err := s.master(ctx, st.slot)
	if err != nil {
		return nil, err
	}
	conn := master.WithTimeout(replicaTimeout).Conn() // all commands must reach the same server
	defer func() { _ = conn.Close() }()
	reply, err := s.runOn(ctx, conn, st)
	if err != nil || !ends(reply) {
		return reply, err
	}
	if err := s.awaitReplicas(ctx, conn, st.slot); err != nil {
		return nil, err
	}
	return reply, nil
}

// awaitReplicas waits until Config.WaitReplicas replicas have all writes that
// the server at the other end of conn has executed.
//
// Since Redis 7.2, WAIT covers only the writes of its own connection. A step
// that is repeated, because the replicas did not have it in time, finds nothing
// to write. So each wait begins with a write, in the same pipeline, which
// go-redis never spreads over several connections. All replicas receive writes in
// the order of their execution.
func (s *Store) awaitReplicas(ctx context.Context, conn *redis.Conn, slot slot) error {
	waited := redis.NewIntCmd(ctx, "WAIT", s.config.WaitReplicas, replicaWait.Milliseconds())
	if _, err := conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		// Not EVALSHA: a pipeline cannot react to the error that the server does
		// not know the script.
		s.scripts.barrier.Eval(ctx, pipe, []string{slot.barrier()}, attempt()...)
		return pipe.Process(ctx, waited)
	}); err != nil {
		return err
	}
	if replicas := waited.Val(); replicas < int64(s.config.WaitReplicas) {
		return fmt.Errorf("the server executed the step, but only %d replicas had it within %v, and Config.WaitReplicas is %d: repeat the call", replicas, replicaWait, s.config.WaitReplicas)
	}
	return nil
}

// always is for steps that wait for replicas whatever the reply is.
func always(any) bool { return true }
