package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// Config configures a [Store]. The zero value is ready to use.
type Config struct {
	_ [0]func()

	// Prefix is the beginning of the names of all keys. Stores with the same
	// Prefix share their sessions. It must not contain { or }. The default is
	// jwtgate.
	Prefix string

	// WaitReplicas is how many replicas must have the end of a session, or a
	// revocation, before the call returns. A failover to one of them then loses
	// neither. If there are fewer within a second, the call returns an error,
	// and can be repeated: the repeated call waits again, although it finds the
	// session ended. Rotations do not wait. The default is 0.
	WaitReplicas int

	// Logger receives the warnings of [Store.Check], one for each setting of the
	// server that can lose sessions or revocations, and one about entries that this
	// version cannot read. The default is [slog.Default].
	Logger *slog.Logger
}

const defaultPrefix = "jwtgate"

// A Store is a [session.Store] on Redis or Valkey. It is safe for concurrent
// use. A Store does not need to be closed. The caller closes the client.
type Store struct {
	client  redis.UniversalClient
	config  Config
	slots   [len(slots)]slot
	scripts scripts

	unreadable sync.Once // warns of entries that this version cannot read
}

var _ session.Store = (*Store)(nil)

// New returns a Store that uses client, which must be a [*redis.Client] (for
// one server, or with Sentinel) or a [*redis.ClusterClient], with the option
// ContextTimeoutEnabled. New does not connect to the server; [Store.Check]
// does. The error lists all mistakes in the arguments, each with the name of
// its field.
func New(client redis.UniversalClient, config Config) (*Store, error) {
	return newStore(client, config, clockLua)
}

func newStore(client redis.UniversalClient, config Config, clock string) (*Store, error) {
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("redisstore: "+format, args...))
	}
	switch enabled, known := contextTimeoutEnabled(client); {
	case !known:
		wrong("client is %T: use a *redis.Client or a *redis.ClusterClient that is not nil, such as redis.NewUniversalClient returns", client)
	case !enabled:
		wrong("client has the option ContextTimeoutEnabled = false: set it to true, because go-redis ignores the deadlines of contexts otherwise")
	}
	if strings.ContainsAny(config.Prefix, "{}") {
		wrong("Config.Prefix is %q: remove { and }, which set the hash slot of a key in a cluster", config.Prefix)
	}
	if config.WaitReplicas < 0 {
		wrong("Config.WaitReplicas is %d: use 0 to wait for no replica, or a positive number", config.WaitReplicas)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if config.Prefix == "" {
		config.Prefix = defaultPrefix
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	s := &Store{client: client, config: config, scripts: newScripts(clock)}
	for i := range s.slots {
		s.slots[i] = newSlot(config.Prefix, i)
	}
	return s, nil
}

// contextTimeoutEnabled returns the option of client of that name. The result
// known is false if client is nil, or of a type that a Store cannot use.
func contextTimeoutEnabled(client redis.UniversalClient) (enabled, known bool) {
	switch c := client.(type) {
	case *redis.Client:
		if c != nil {
			return c.Options().ContextTimeoutEnabled, true
		}
	case *redis.ClusterClient:
		if c != nil {
			return c.Options().ContextTimeoutEnabled, true
		}
	}
	return false, false
}

var errTaken = errors.New("another session has the same ID")

// Create implements [session.Store].
func (s *Store) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	reply, err := s.create(ctx, n, bound, false)
	for err == nil && at(reply, 0) == "long" {
		if err = s.shorten(ctx, n, bound); err == nil {
			reply, err = s.create(ctx, n, bound, true)
		}
	}
	if redis.HasErrorPrefix(err, "OOM") {
		err = fmt.Errorf("%w: %w", session.ErrFull, err)
	}
	if err == nil {
		switch at(reply, 0) {
		case "kept":
			r, err := record(at(reply, 2))
			return r, failed(ctx, "create", err)
		case "too many":
			return session.Record{}, session.ErrTooMany
		case "taken":
			err = errTaken
		default:
			err = errReply
		}
	}
	return session.Record{}, failed(ctx, "create", err)
}

// create runs the script for Create. swept says that shorten was called before.
func (s *Store) create(ctx context.Context, n session.New, bound session.Bound, swept bool) (any, error) {
	slot := s.slotOf(n.ID.Slot())
	return s.runReplicated(ctx, step{
		s.scripts.create, slot,
		[]string{slot.session(n.ID), slot.owner(n.Owner), slot.stream(), slot.origin()},
		attempt(
			n.ID.String(), n.NonceHash[:], n.UserAgent, n.Owner.Issuer, n.Owner.Audience, n.Owner.Subject,
			n.Idle.Milliseconds(), n.Limit.Milliseconds(), n.Remember.Milliseconds(), bound.Max, bound.Refuse, lookPart, swept, n.Note,
		),
	}, func(reply any) bool { return at(reply, 1) != int64(0) })
}

// Find implements [session.Store].
func (s *Store) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	slot := s.slotOf(id.Slot())
	reply, err := s.run(ctx, step{s.scripts.find, slot, []string{slot.session(id)}, nil})
	if errors.Is(err, redis.Nil) {
		return session.Record{}, false, nil
	}
	if err != nil {
		return session.Record{}, false, failed(ctx, "find", err)
	}
	r, err := record(reply)
	return r, err == nil, failed(ctx, "find", err)
}

// End implements [session.Store].
func (s *Store) End(ctx context.Context, id session.ID, remember time.Duration) (bool, error) {
	slot := s.slotOf(id.Slot())
	reply, err := s.runReplicated(ctx, step{
		s.scripts.end, slot,
		[]string{slot.session(id), slot.stream(), slot.origin()},
		attempt(id.String(), remember.Milliseconds()),
	}, always)
	return reply == int64(1), failed(ctx, "end", err)
}

// failed returns err with the name of the step in front. If ctx is done, the
// returned error wraps the error of ctx.
func failed(ctx context.Context, step string, err error) error {
	if err == nil {
		return nil
	}
	deadline, ok := ctx.Deadline()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case ok && !time.Now().Before(deadline): // the connection timed out just before ctx
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("redisstore: %s: %w", step, err)
}
