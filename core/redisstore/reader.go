package redisstore

import (
	"context"
	"errors"
	"strings"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// A reader reads the streams of some slots, which are all on one server.
type reader struct {
	store   *Store
	slots   []slot
	conn    *redis.Conn  // does not reconnect after an error, so no interruption is missed
	server  string       // the identity of the server at the other end of conn; see serverOf
	release func() error // closes the client that only this reader uses; nil without one

	origins []any    // of the streams; see announce.lua
	last    []string // the ID of the last entry read from each stream
}

// A page is the result of one read.
type page struct {
	reader      int // the index of the reader
	revocations []session.Revocation
	complete    bool // the streams have no more entries for now
	err         error
}

const (
	start = "0-0" // before the first entry of a stream

	// pageSize is how many entries of each stream are read at once.
	pageSize = 1000
)

var errMaster = errors.New("the server is not a master, or not the same one as before: revocations may have been missed")

// readers returns readers of all slots: one reader, or in a cluster one per
// slot.
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

// follow passes pages to send until there is an error, or send returns false.
// The last page has the error.
func (r *reader) follow(ctx context.Context, send func(page) bool) {
	err := r.connect(ctx)
	for wait := false; err == nil; {
		var p page
		if p, err = r.read(ctx, wait); err == nil && !send(p) {
			break
		}
		wait = p.complete
	}
	r.close()
	if err != nil {
		r.store.reload(ctx)
		send(page{err: err})
	}
}

// connect opens the connection, and has the streams read from their start.
func (r *reader) connect(ctx context.Context) error {
	master, err := r.store.master(ctx, r.slots[0])
	if err != nil {
		return err
	}
	client := master.WithTimeout(beatTimeout)
	if len(r.slots) < len(slots) {
		// The pool of a cluster's client may be too small for a connection per
		// slot, so this reader uses a client with one connection.
		options := *master.Options()
		options.PoolSize, options.MinIdleConns, options.ReadTimeout = 1, 0, beatTimeout
		options.Protocol, options.PushNotificationProcessor, options.MaintNotificationsConfig = 2, nil, nil // clients cannot share these
		client = redis.NewClient(&options)
		r.release = client.Close
	}
	r.conn = client.Conn()
	for range r.slots {
		r.last = append(r.last, start)
	}
	var s serverState
	if _, err := r.conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		s = r.requestState(ctx, pipe)
		return nil
	}); err != nil {
		return err
	}
	r.origins = s.origins.Val()
	r.server, err = serverOf(s.info.Val())
	return err
}

// close closes the connection, and the client that only this reader uses.
func (r *reader) close() {
	if r.conn != nil {
		_ = r.conn.Close()
	}
	if r.release != nil {
		_ = r.release()
	}
}

// read returns the entries after the last ones that were read. If wait is true
// and there are none, it waits for the first, for up to a beat.
func (r *reader) read(ctx context.Context, wait bool) (page, error) {
	streams := &redis.XReadArgs{Count: pageSize, Block: -1}
	if wait {
		streams.Block = beat
	}
	for _, s := range r.slots {
		streams.Streams = append(streams.Streams, s.stream())
	}
	streams.Streams = append(streams.Streams, r.last...)
	var found *redis.XStreamSliceCmd
	var state serverState
	if _, err := r.conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		found = pipe.XRead(ctx, streams)
		state = r.requestState(ctx, pipe)
		return nil
	}); err != nil && !errors.Is(err, redis.Nil) {
		return page{}, err
	}
	p := page{complete: true}
	for _, stream := range found.Val() {
		for _, entry := range stream.Messages {
			if revocation, err := revocation(entry.Values); err == nil {
				p.revocations = append(p.revocations, revocation)
			} else {
				r.store.passOver(ctx, stream.Stream, entry.ID, err)
			}
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
	return p, r.check(state, &p)
}

// A serverState shows whether a read may have missed revocations. It is
// requested after the read, on the same connection, and compared with the state
// before.
type serverState struct {
	origins *redis.SliceCmd
	info    *redis.StringCmd
}

func (r *reader) requestState(ctx context.Context, pipe redis.Pipeliner) serverState {
	var keys []string
	for _, s := range r.slots {
		keys = append(keys, s.origin())
	}
	return serverState{pipe.MGet(ctx, keys...), pipe.Info(ctx, "server", "replication")}
}

// check returns an error if the server is not the same master as before. If a
// stream was replaced by a new one, check has the new one read from its start,
// and marks p as incomplete.
func (r *reader) check(state serverState, p *page) error {
	server, err := serverOf(state.info.Val())
	if err != nil {
		return err
	}
	if server != r.server {
		return errMaster
	}
	for i, origin := range state.origins.Val() {
		if origin != r.origins[i] {
			r.origins[i], r.last[i] = origin, start
			p.complete = false
		}
	}
	return nil
}

// serverOf returns the identity of the server that sent info, an INFO reply. It
// is another one after a restart, and after the server was a replica for some
// time. A replica is an error.
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
