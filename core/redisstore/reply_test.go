package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// An answering hook answers every script itself.
type answering struct {
	redis.Hook

	value any
	err   error
}

func (a *answering) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a *answering) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a *answering) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		script, ok := cmd.(*redis.Cmd)
		if !ok {
			return next(ctx, cmd)
		}
		script.SetVal(a.value)
		script.SetErr(a.err)
		return a.err
	}
}

// TestReplies checks the errors of all methods that need a reply: that of the server, or
// that the reply has a form that no script returns.
func TestReplies(t *testing.T) {
	t.Parallel()
	hook := &answering{}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(hook)
	store := newStore(t, client, redisstore.Config{})
	n, p := newSession("alice")
	broken := errors.New("broken pipe")
	const form = "the reply of the server has a form that no script of this package returns"
	for name, call := range map[string]func() error{
		"create": func() error { _, err := store.Create(t.Context(), n, session.Bound{}); return err },
		"find":   func() error { _, _, err := store.Find(t.Context(), p.ID); return err },
		"advance": func() error {
			_, _, err := store.Advance(t.Context(), p, openWindow)
			return err
		},
		"end all": func() error { _, _, err := store.EndAll(t.Context(), all("alice")); return err },
		"list": func() error {
			_, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 10)
			return err
		},
	} {
		for _, value := range []any{"", "x", "1 1 1", "1 " + strings.Repeat("?", 24), int64(1), []any{}, []any{"kept"}, []any{"kept", int64(0), "x"}, []any{int64(1), int64(2)}, nil} {
			hook.value, hook.err = value, nil
			if err := call(); err == nil || !strings.HasPrefix(err.Error(), "redisstore: "+name+": ") || !strings.Contains(err.Error(), form) {
				t.Errorf("%s: got error %v for the reply %q; want one about its form", name, err, value)
			}
		}
		hook.err = broken
		if err := call(); !errors.Is(err, broken) || err.Error() != "redisstore: "+name+": broken pipe" {
			t.Errorf("%s: got error %v; want %v", name, err, broken)
		}
	}
}

// TestErrors checks that all methods that need no reply return the error of the server, or
// of the connection on which they wait for replicas.
func TestErrors(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(&answering{err: errors.New("broken pipe")})
	for _, row := range []struct {
		replicas int
		want     string
	}{{0, "broken pipe"}, {1, "dial tcp 127.0.0.1:1: connect: connection refused"}} {
		store := newStore(t, client, redisstore.Config{WaitReplicas: row.replicas})
		for name, call := range map[string]func() error{
			"revoke": func() error { return store.Revoke(t.Context(), tokenRevoked("any")) },
			"end":    func() error { _, err := store.End(t.Context(), session.ID{}, remember); return err },
		} {
			if err := call(); err == nil || err.Error() != "redisstore: "+name+": "+row.want {
				t.Errorf("%s, %d replicas: got error %v; want %s", name, row.replicas, err, row.want)
			}
		}
	}
	confirmed := []session.Confirmation{{Generation: 1}}
	if err := newStore(t, client, redisstore.Config{}).Confirm(t.Context(), confirmed, openWindow); err == nil || err.Error() != "redisstore: confirm: broken pipe" {
		t.Errorf("confirm: got error %v; want broken pipe", err)
	}
}

// TestReplyWithoutVerdict checks that a record that no step has changed is not the result of
// a step.
func TestReplyWithoutVerdict(t *testing.T) {
	t.Parallel()
	n, p := newSession("alice")
	record := "\x01" + strings.Repeat("\x00", 85) + n.ID.String() + strings.Repeat("\x01", 36) + strings.Repeat("\x00", 16)
	if _, err := redisstore.Record(record); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(&answering{value: record})
	store := newStore(t, client, redisstore.Config{})
	if r, verdict, err := store.Advance(t.Context(), p, openWindow); err == nil || verdict != 0 || r != (session.Record{}) {
		t.Errorf("got verdict %d, error %v, record %+v; want an error only", verdict, err, r)
	}
}
