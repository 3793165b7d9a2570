package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// An answering hook answers every script, and INFO, itself.
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
		switch cmd := cmd.(type) {
		case *redis.Cmd:
			cmd.SetVal(a.value)
		case *redis.StringCmd:
			text, _ := a.value.(string)
			cmd.SetVal(text)
		default:
			return next(ctx, cmd)
		}
		cmd.SetErr(a.err)
		return a.err
	}
}

// nowhere returns a client of a server that does not exist. The hook, if it is not nil,
// answers in its place.
func nowhere(t *testing.T, hook redis.Hook) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	if hook != nil {
		client.AddHook(hook)
	}
	return client
}

// nowhereCluster is nowhere for a cluster.
func nowhereCluster(t *testing.T) *redis.ClusterClient {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ContextTimeoutEnabled: true, MaxRedirects: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestReplies checks the errors of all methods that need a reply: that of the server, or
// that the reply has a form that no script returns.
func TestReplies(t *testing.T) {
	t.Parallel()
	hook := &answering{}
	store := newStore(t, nowhere(t, hook), redisstore.Config{})
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
	client := nowhere(t, &answering{err: errors.New("broken pipe")})
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
	record := recordHead + n.ID.String() + recordTail
	if _, err := redisstore.Record(record); err != nil {
		t.Fatal(err)
	}
	store := newStore(t, nowhere(t, &answering{value: record}), redisstore.Config{})
	if r, verdict, err := store.Advance(t.Context(), p, openWindow); err == nil || verdict != 0 || r != (session.Record{}) {
		t.Errorf("got verdict %d, error %v, record %+v; want an error only", verdict, err, r)
	}
}

// TestCreateInSteps checks what Create does for an owner with very many sessions, and that
// it returns the errors of each step.
func TestCreateInSteps(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	long, full := []any{"long"}, []any{"too many", int64(0)}
	id := session.NewID(ownerOf("alice")).String()
	for _, row := range []struct {
		name    string
		bound   session.Bound
		replies []any  // of the scripts
		ends    string // how many sessions each script was to end
		want    error  // nil for one about the form of a reply
	}{
		{"sweep fails", session.Bound{Max: 3}, []any{long, broken}, "", broken},
		{"sweep in another form", session.Bound{Max: 3}, []any{long, "-1 x"}, "", nil},
		{"fewer than the bound", session.Bound{Max: 3}, []any{long, "7 1", "-1 2", full}, "", session.ErrTooMany},
		{"as many as the bound", session.Bound{Max: 3}, []any{long, "-1 3", "-1 " + id, full}, "1", session.ErrTooMany},
		{"more", session.Bound{Max: 3}, []any{long, "-1 5", "7 " + id + id, "9 " + id, full}, "3 1", session.ErrTooMany},
		{"more, and they have ended", session.Bound{Max: 3}, []any{long, "-1 5", "-1 " + id, full}, "3", session.ErrTooMany},
		{"a hundred in a step", session.Bound{Max: 3}, []any{long, "-1 500", broken}, "100", broken},
		{"more, and refused", session.Bound{Max: 3, Refuse: true}, []any{long, "-1 5", full}, "", session.ErrTooMany},
		{"long again", session.Bound{Max: 3}, []any{long, "-1 2", long, "-1 2", full}, "", session.ErrTooMany},
	} {
		hook := &answeringInTurn{replies: row.replies}
		n, _ := newSession("alice")
		_, err := newStore(t, nowhere(t, hook), redisstore.Config{}).Create(t.Context(), n, row.bound)
		if row.want == nil && (err == nil || !strings.Contains(err.Error(), "has a form")) || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: got error %v; want %v", row.name, err, row.want)
		}
		if got := strings.Join(hook.ends, " "); got != row.ends || len(hook.replies) > 0 {
			t.Errorf("%s: ended %q sessions, and %d replies are left; want %q, and none", row.name, got, len(hook.replies), row.ends)
		}
	}
}

// TestEndAllInSteps checks the sessions and the errors that EndAll returns, whatever step
// they are from.
func TestEndAllInSteps(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	id := session.NewID(ownerOf("alice")).String()
	for _, row := range []struct {
		name    string
		replies []any // of the scripts
		ended   int
		want    string // in the error
	}{
		{"the revocation fails", []any{broken}, 0, "broken pipe"},
		{"the revocation in another form", []any{"x"}, 0, "has a form"},
		{"the first step fails", []any{"5 7", broken}, 0, "broken pipe"},
		{"the first step in another form", []any{"5 7", "x"}, 0, "has a form"},
		{"the second step fails", []any{"5 7", "6 " + id, broken}, 1, "broken pipe"},
		{"two steps", []any{"5 7", "6 " + id, "-1 " + id}, 2, ""},
	} {
		hook := &answeringInTurn{replies: row.replies}
		ended, from, err := newStore(t, nowhere(t, hook), redisstore.Config{}).EndAll(t.Context(), session.Ending{Owner: ownerOf("alice")})
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got error %v; want one with %q", row.name, err, row.want)
		}
		if err == nil && from.UnixMilli() != 5 {
			t.Errorf("%s: got the time %v; want that of the first reply", row.name, from)
		}
		if len(ended) != row.ended || len(hook.replies) > 0 {
			t.Errorf("%s: got %d sessions, and %d replies are left; want %d, and none", row.name, len(ended), len(hook.replies), row.ended)
		}
	}
}

// An answeringInTurn hook answers each script with the next of its replies or errors.
type answeringInTurn struct {
	answering

	replies []any
	ends    []string // the last argument of each script that ends sessions
}

func (a *answeringInTurn) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if len(a.replies) == 0 {
			return errors.New("there is no further reply")
		}
		reply := a.replies[0]
		a.replies = a.replies[1:]
		if args := cmd.Args(); args[2] == 3 { // keys: those of the script that ends sessions
			a.ends = append(a.ends, fmt.Sprint(args[len(args)-1]))
		}
		next := answering{value: reply}
		next.err, _ = reply.(error)
		return next.ProcessHook(nil)(ctx, cmd)
	}
}
