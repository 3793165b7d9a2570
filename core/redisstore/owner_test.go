package redisstore_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// The sessions of a subject with many are ended, listed and bounded in several scripts,
// because the server executes nothing else during one.
func TestManyInSteps(t *testing.T) {
	t.Parallel()
	const many = 1200
	client := startServer(t).client()
	store := newStore(t, client, redisstore.Config{})
	for _, row := range []struct {
		name    string
		step    func() error
		scripts int // at least
	}{
		{"List", func() error {
			_, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 2*many)
			return err
		}, many / 500},
		{"Create at a lowered bound", func() error {
			n, _ := newSession("alice")
			_, err := store.Create(t.Context(), n, session.Bound{Max: 1})
			return err
		}, many/500 + many/100},
		{"EndAll", func() error {
			_, _, err := store.EndAll(t.Context(), all("alice"))
			return err
		}, many / 100},
	} {
		for range many {
			create(t, store, "alice")
		}
		if err := client.ConfigResetStat(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := row.step(); err != nil {
			t.Fatal(err)
		}
		stats := client.InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_evalsha"]
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		if n, err := strconv.Atoi(calls); err != nil || n < row.scripts {
			t.Errorf("%s: executed %s scripts, want at least %d", row.name, calls, row.scripts)
		}
	}
}

// If another process creates a session of the same subject between the scripts of
// Create, the oldest session is ended for that one too.
func TestManyAtBoundConcurrently(t *testing.T) {
	t.Parallel()
	bound := session.Bound{Max: 600}
	server := startServer(t)
	other, client := newStore(t, server.client(), redisstore.Config{}), server.client()
	for range bound.Max {
		create(t, other, "alice")
	}
	n, _ := newSession("alice")
	client.AddHook(&before{id: n.ID.String(), nth: 2, call: func() {
		m, _ := newSession("alice")
		if _, err := other.Create(t.Context(), m, bound); err != nil {
			t.Error(err)
		}
	}})
	if _, err := newStore(t, client, redisstore.Config{}).Create(t.Context(), n, bound); err != nil {
		t.Fatal(err)
	}
	if got := len(listed(t, other, "alice")); got != bound.Max {
		t.Errorf("got %d sessions; want %d", got, bound.Max)
	}
}

// A before is a hook that calls a function before the nth script with the argument id.
type before struct {
	redis.Hook

	id   string
	nth  int
	call func()
}

func (b *before) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (b *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if slices.Contains(cmd.Args(), any(b.id)) && cmd.Name() == "evalsha" {
			if b.nth--; b.nth == 0 {
				b.call()
			}
		}
		return next(ctx, cmd)
	}
}
