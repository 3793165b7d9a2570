package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// A reader follows the streams of some slots, all of them on one server.
type reader struct {
	store   *Store
	slots   []slot
	conn    *redis.Conn  // once it breaks, it stays so: no reconnect goes unseen
	server  string       // who conn is connected to
	release func() error // of a client of its own

	origins []any    // of the streams
	last    []string // the IDs of the entries read last
}

// A page is what a read found.
type page struct {
	reader      int
	revocations []session.Revocation
	complete    bool // there was no more
	err         error
}

const (
	start = "0-0" // before the first entry of a stream

	// pageSize is how many entries of each stream are read at once.
	pageSize = 1000
)

var errMaster = errors.New("the server is not the master that it was, so something may have been missed")

// readers returns readers of all slots.
func (s *Store) readers() []*reader {
	var readers []*reader
	if _, cluster := s.client.(*redis.ClusterClient); !cluster {
		return append(readers, &reader{store: s, slots: s.slots[:]})
	}
	for i := range s.slots {
		readers = append(readers, &reader{store: s, slots: s.slots[i : i+1]})
	}
	return readers
}

// follow hands pages over until there is an error, or tell returns false.
func (r *reader) follow(ctx context.Context, tell func(page) bool) {
	err := r.connect(ctx)
	for waits := false; err == nil; {
		var p page
		if p, err = r.read(ctx, waits); err == nil && !tell(p) {
			break
		}
		waits = p.complete
	}
	r.close()
	if err != nil {
		r.store.reload(ctx)
		tell(page{err: err})
	}
}

// connect prepares for reading all from the start.
func (r *reader) connect(ctx context.Context) error {
	master, err := r.store.master(ctx, r.slots[0])
	if err != nil {
		return err
	}
	client := master.WithTimeout(beatTimeout)
	if len(r.slots) < len(slots) {
		// The pool of a cluster's client need not be large enough for a connection
		// to each slot.
		options := *master.Options()
		options.PoolSize, options.MinIdleConns, options.ReadTimeout = 1, 0, beatTimeout
		options.Protocol, options.PushNotificationProcessor, options.MaintNotificationsConfig = 2, nil, nil // one client's only
		client = redis.NewClient(&options)
		r.release = client.Close
	}
	r.conn = client.Conn()
	r.origins = make([]any, len(r.slots))
	for range r.slots {
		r.last = append(r.last, start)
	}
	var look look
	if _, err := r.conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		look = r.look(ctx, pipe)
		return nil
	}); err != nil {
		return err
	}
	r.origins = look.origins.Val()
	r.server, err = serverOf(look.info.Val())
	return err
}

// close gives up the connection.
func (r *reader) close() {
	if r.conn != nil {
		_ = r.conn.Close()
	}
	if r.release != nil {
		_ = r.release()
	}
}

// read returns what follows that which was read last. If it waits, it does so for
// a beat, until there is something.
func (r *reader) read(ctx context.Context, waits bool) (page, error) {
	streams := &redis.XReadArgs{Count: pageSize, Block: -1}
	if waits {
		streams.Block = beat
	}
	for _, s := range r.slots {
		streams.Streams = append(streams.Streams, s.stream())
	}
	streams.Streams = append(streams.Streams, r.last...)
	var found *redis.XStreamSliceCmd
	var look look
	if _, err := r.conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		found = pipe.XRead(ctx, streams)
		look = r.look(ctx, pipe)
		return nil
	}); err != nil && !errors.Is(err, redis.Nil) {
		return page{}, err
	}
	p := page{complete: true}
	for _, stream := range found.Val() {
		for _, entry := range stream.Messages {
			revocation, err := revocation(entry.Values)
			if err != nil {
				return page{}, err
			}
			p.revocations = append(p.revocations, revocation)
		}
		for i, s := range r.slots {
			if s.stream() == stream.Stream {
				r.last[i] = stream.Messages[len(stream.Messages)-1].ID
			}
		}
		if len(stream.Messages) == pageSize {
			p.complete = false
		}
	}
	return p, r.check(look, &p)
}

// look is what tells whether a read can have missed something: looked at behind
// it, on the same connection, and compared with how it was before.
type look struct {
	origins *redis.SliceCmd
	info    *redis.StringCmd
}

func (r *reader) look(ctx context.Context, pipe redis.Pipeliner) look {
	var keys []string
	for _, s := range r.slots {
		keys = append(keys, s.origin())
	}
	return look{pipe.MGet(ctx, keys...), pipe.Info(ctx, "server", "replication")}
}

// check has streams that are others by now read again from their start.
func (r *reader) check(l look, p *page) error {
	server, err := serverOf(l.info.Val())
	if err != nil {
		return err
	}
	if server != r.server {
		return errMaster
	}
	for i, origin := range l.origins.Val() {
		if origin != r.origins[i] {
			r.origins[i], r.last[i] = origin, start
			p.complete = false
		}
	}
	return nil
}

// serverOf returns what names the server of info, and changes when it has been a
// replica in between.
func serverOf(info string) (string, error) {
	if infoField(info, "role") != "master" {
		return "", errMaster
	}
	return infoField(info, "run_id") + infoField(info, "master_replid"), nil
}

// infoField returns a field of an INFO reply.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// What a revocation is of, as the stream's entries have it.
const (
	kindSession = "session"
	kindToken   = "token"
	kindSubject = "subject"
)

// revocation returns the revocation that an entry of a stream has.
func revocation(entry map[string]any) (session.Revocation, error) {
	number := func(field string) (n int64, err error) {
		text, _ := entry[field].(string)
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = fmt.Errorf("an entry of the stream: %s: %w", field, err)
		}
		return n, err
	}
	generation, err := number("generation")
	from, err2 := number("from")
	until, err3 := number("until")
	if err := errors.Join(err, err2, err3); err != nil {
		return session.Revocation{}, err
	}
	r := session.Revocation{
		Generation: uint32(generation), //nolint:gosec // it was one
		From:       time.UnixMilli(from),
		Until:      time.UnixMilli(until),
	}
	r.Token, _ = entry[kindToken].(string)
	r.Subject, _ = entry[kindSubject].(string)
	if name, ok := entry[kindSession].(string); ok {
		if r.Session, ok = session.ParseID(name); !ok {
			return session.Revocation{}, errors.New("an entry of the stream: its session is none")
		}
	}
	return r, nil
}
