package redisstore_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// Since Redis 7.2, WAIT covers only the writes of its own connection. A call that ends a
// session or revokes a token returns an error as long as no replica has received that, also
// when the call is repeated on another connection.
func TestWaitOfLaterVersions(t *testing.T) {
	// Before Redis 7.2, a server without a replica does not count its writes.
	server := startServer(t, "--repl-ping-replica-period", "3600")
	replicate(t, server, startServer(t))
	waiter := startWaiter(t, server)
	first := newStore(t, waiter.client(t), redisstore.Config{WaitReplicas: 1})
	other := newStore(t, waiter.client(t), redisstore.Config{WaitReplicas: 1})
	live, gone, kept := create(t, first, "alice"), session.NewID(ownerOf("alice")), create(t, first, "bob")
	create(t, first, "bob")
	stolen := create(t, first, "carol")
	advance(t, first, stolen, singleUse, session.Rotated, 1)
	confirm(t, first, stolen.ID, 1)
	create(t, first, "dave")
	n, _ := newSession("dave")
	create(t, first, "erin")
	waiter.received.Store(waiter.offset())
	if _, _, err := first.Advance(t.Context(), stolen, singleUse); err == nil || !strings.Contains(err.Error(), "only 0 replicas") {
		t.Errorf("Advance, stolen: got error %v; want one that says no replica has it", err)
	}
	advance(t, first, stolen, singleUse, session.Revoked, 1) // not an end
	waiter.received.Store(math.MaxInt64)
	for _, row := range []struct {
		name string
		call func(ctx context.Context, store session.Store) error
	}{
		{"End", func(ctx context.Context, s session.Store) error { _, err := s.End(ctx, live.ID, remember); return err }},
		{"End, no session", func(ctx context.Context, s session.Store) error { _, err := s.End(ctx, gone, remember); return err }},
		{"EndAll but one", func(ctx context.Context, s session.Store) error {
			_, _, err := s.EndAll(ctx, all("bob", kept.ID))
			return err
		}},
		{"EndAll", func(ctx context.Context, s session.Store) error {
			_, _, err := s.EndAll(ctx, all("erin"))
			return err
		}},
		{"Revoke", func(ctx context.Context, s session.Store) error { return s.Revoke(ctx, tokenRevoked("any")) }},
		{"Create at the bound", func(ctx context.Context, s session.Store) error {
			_, err := s.Create(ctx, n, session.Bound{Max: 1})
			return err
		}},
	} {
		waiter.received.Store(waiter.offset()) // the replica receives nothing more
		for i, store := range []session.Store{first, first, other} {
			if err := row.call(t.Context(), store); err == nil || !strings.Contains(err.Error(), "only 0 replicas") {
				t.Errorf("%s, call %d: got error %v; want one that says no replica has it", row.name, i+1, err)
			}
		}
		waiter.received.Store(math.MaxInt64)
		if err := row.call(t.Context(), other); err != nil {
			t.Errorf("%s, with the replica: got error %v; want none", row.name, err)
		}
	}
}

// A call that ends a session returns an error if the client cannot wait for the replicas.
func TestWaitFails(t *testing.T) {
	waiter := startWaiter(t, startServer(t))
	waiter.breaks = true
	for _, row := range []struct {
		name   string
		client redis.UniversalClient
		want   string
	}{
		{"no master", nowhereCluster(t), "connection refused"},
		{"the connection breaks", waiter.client(t), "EOF"},
	} {
		store := newStore(t, row.client, redisstore.Config{WaitReplicas: 1})
		if _, err := store.End(t.Context(), session.NewID(ownerOf("alice")), remember); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got error %v; want one with %q", row.name, err, row.want)
		}
	}
}

// A waiter is a proxy in front of a server. It answers WAIT as Redis 7.2 does, for
// a server with one replica.
type waiter struct {
	addr     string
	server   *redis.Client
	breaks   bool         // it closes the connection in place of an answer
	received atomic.Int64 // the offset up to which the replica has the writes
}

func startWaiter(t *testing.T, server *server) *waiter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	w := &waiter{addr: listener.Addr().String(), server: server.client()}
	w.received.Store(math.MaxInt64)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.serve(client, server.addr)
		}
	}()
	return w
}

func (w *waiter) client(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: w.addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

// offset returns how far the writes of the server have got.
func (w *waiter) offset() int64 {
	for line := range strings.Lines(w.server.Info(context.Background(), "replication").Val()) {
		if value, ok := strings.CutPrefix(line, "master_repl_offset:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return -1
}

// serve passes on one command at a time, and remembers the offset after the last
// write of this connection.
func (w *waiter) serve(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	commands, replies := bufio.NewReader(client), bufio.NewReader(server)
	written := int64(0)
	for {
		var command, reply bytes.Buffer
		if copyValue(&command, commands) != nil {
			return
		}
		if strings.HasPrefix(strings.ToUpper(command.String()), "*3\r\n$4\r\nWAIT\r\n") {
			if w.breaks {
				return
			}
			n := 0
			if written <= w.received.Load() {
				n = 1
			}
			fmt.Fprintf(&reply, ":%d\r\n", n)
		} else {
			before := w.offset()
			if _, err := server.Write(command.Bytes()); err != nil || copyValue(&reply, replies) != nil {
				return
			}
			if after := w.offset(); after != before {
				written = after
			}
		}
		if _, err := client.Write(reply.Bytes()); err != nil {
			return
		}
	}
}

// copyValue copies a value of the protocol RESP.
func copyValue(to *bytes.Buffer, from *bufio.Reader) error {
	line, err := from.ReadString('\n')
	if err != nil {
		return err
	}
	to.WriteString(line)
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$', '=', '!':
		if n >= 0 {
			_, err = io.CopyN(to, from, int64(n)+2)
		}
		return err
	case '%', '|':
		n *= 2
	case '*', '~', '>':
	default:
		return nil
	}
	for range n {
		if err := copyValue(to, from); err != nil {
			return err
		}
	}
	return nil
}
