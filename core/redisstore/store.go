package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// Config is how a [Store] is set up. The zero value will do.
type Config struct {
	_ [0]func()

	// Prefix is what the names of all keys begin with. Stores with the same one
	// share their sessions. The default is jwtgate.
	Prefix string

	// WaitReplicas is how many replicas have to have the end of a session, or a
	// revocation, before the step counts as taken: else it is an error, and can be
	// repeated. So a failover takes nothing back. Rotations do not wait. The
	// default is none.
	WaitReplicas int

	// Logger gets a warning of Check's for each setting of the server by which
	// sessions or revocations can be lost. The default discards them.
	Logger *slog.Logger
}

const defaultPrefix = "jwtgate"

// Store is a [session.Store] in Redis or Valkey. It is safe for concurrent use.
// It has nothing to close: its client is the caller's.
type Store struct {
	client  redis.UniversalClient
	config  Config
	slots   [len(slots)]slot
	scripts scripts
}

var _ session.Store = (*Store)(nil)

// New returns a Store that uses client, a [*redis.Client] (of one server, or by
// Sentinel) or a [*redis.ClusterClient]. It does not speak to the server: see
// [Store.Check]. The error joins all that is wrong, each with its field.
func New(client redis.UniversalClient, config Config) (*Store, error) {
	return newStore(client, config, clockLua)
}

func newStore(client redis.UniversalClient, config Config, clock string) (*Store, error) {
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("redisstore: "+format, args...))
	}
	switch contextTimeout, known := heedsDeadlines(client); {
	case !known:
		wrong("client is %T: give a *redis.Client or *redis.ClusterClient, as redis.NewUniversalClient does", client)
	case !contextTimeout:
		wrong("client has no ContextTimeoutEnabled: set that option, or go-redis ignores the deadlines of requests")
	}
	if strings.ContainsAny(config.Prefix, "{}") {
		wrong("Config.Prefix is %q: leave out { and }, which choose the place of a key in a cluster", config.Prefix)
	}
	if config.WaitReplicas < 0 {
		wrong("Config.WaitReplicas is %d: use a number, or 0 not to wait", config.WaitReplicas)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if config.Prefix == "" {
		config.Prefix = defaultPrefix
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{client: client, config: config, scripts: newScripts(clock)}
	for i := range s.slots {
		s.slots[i] = newSlot(config.Prefix, i)
	}
	return s, nil
}

// heedsDeadlines reports whether client, if it is of a kind known here, heeds the
// deadlines of contexts.
func heedsDeadlines(client redis.UniversalClient) (heeds, known bool) {
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

var errTaken = errors.New("there is another session with that ID")

// Create implements [session.Store].
func (s *Store) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	slot := s.slotOf(n.ID.Slot())
	reply, err := s.runReplicated(ctx, step{
		s.scripts.create, slot,
		[]string{slot.session(n.ID), slot.subject(n.Subject), slot.stream(), slot.origin()},
		[]any{
			n.ID.String(), n.Subject, n.NonceHash[:], n.UserAgent,
			n.Idle.Milliseconds(), n.Limit.Milliseconds(), n.Remember.Milliseconds(), bound.Max, bound.Refuse,
		},
	}, func(reply any) bool { return at(reply, 1) != int64(0) })
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

// Find implements [session.Store].
func (s *Store) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	slot := s.slotOf(id.Slot())
	reply, err := s.run(ctx, step{s.scripts.find, slot, []string{slot.session(id)}, []any{id.String()}})
	if errors.Is(err, redis.Nil) {
		return session.Record{}, false, nil
	}
	if err != nil {
		return session.Record{}, false, failed(ctx, "find", err)
	}
	r, err := record(reply)
	return r, err == nil, failed(ctx, "find", err)
}

// Advance implements [session.Store].
func (s *Store) Advance(ctx context.Context, p session.Presented, policy session.Policy) (session.Record, session.Verdict, error) {
	slot := s.slotOf(p.ID.Slot())
	reply, err := s.runReplicated(ctx, step{
		s.scripts.advance, slot,
		[]string{slot.session(p.ID), slot.stream(), slot.origin()},
		[]any{
			p.ID.String(), p.NonceHash[:], p.Generation,
			policy.Idle.Milliseconds(), ceilMilliseconds(policy.ReuseWindow), policy.Remember.Milliseconds(), policy.Retire,
		},
	}, func(reply any) bool { return verdict(reply) == session.Stolen })
	if err != nil {
		return session.Record{}, 0, failed(ctx, "advance", err)
	}
	if verdict(reply) == session.Unknown {
		return session.Record{}, session.Unknown, nil
	}
	r, err := record(at(reply, 1))
	if err != nil {
		return session.Record{}, 0, failed(ctx, "advance", err)
	}
	return r, verdict(reply), nil
}

// verdict returns the verdict in a reply.
func verdict(reply any) session.Verdict {
	n, _ := at(reply, 0).(int64)
	return session.Verdict(n) //nolint:gosec // the script's
}

// ceilMilliseconds keeps a window above zero above zero.
func ceilMilliseconds(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}

// End implements [session.Store].
func (s *Store) End(ctx context.Context, id session.ID, remember time.Duration) (bool, error) {
	slot := s.slotOf(id.Slot())
	reply, err := s.runReplicated(ctx, step{
		s.scripts.end, slot,
		[]string{slot.session(id), slot.stream(), slot.origin()},
		[]any{id.String(), remember.Milliseconds()},
	}, always)
	return reply == int64(1), failed(ctx, "end", err)
}

// EndAll implements [session.Store].
func (s *Store) EndAll(ctx context.Context, subject string, remember time.Duration, except ...session.ID) ([]session.ID, error) {
	slot := s.slotOf(session.SlotOf(subject))
	args := []any{subject, remember.Milliseconds()}
	for _, id := range except {
		args = append(args, id.String())
	}
	reply, err := s.runReplicated(ctx, step{
		s.scripts.endAll, slot,
		[]string{slot.subject(subject), slot.stream(), slot.origin()},
		args,
	}, always)
	if err != nil {
		return nil, failed(ctx, "end all", err)
	}
	ended, err := ids(reply)
	return ended, failed(ctx, "end all", err)
}

// List implements [session.Store].
func (s *Store) List(ctx context.Context, subject string) ([]session.Record, error) {
	records, err := s.list(ctx, subject)
	return records, failed(ctx, "list", err)
}

// listPart is how many records are read at once: the server does nothing else
// meanwhile, and who signs in over and over must not stop it for all.
const listPart = 500

func (s *Store) list(ctx context.Context, subject string) ([]session.Record, error) {
	slot := s.slotOf(session.SlotOf(subject))
	keys := []string{slot.subject(subject)}
	index, err := s.runList(ctx, step{s.scripts.index, slot, keys, []any{subject}})
	if err != nil {
		return nil, err
	}
	var records []session.Record
	for part := range slices.Chunk(index, listPart) {
		values, err := s.runList(ctx, step{s.scripts.list, slot, keys, part})
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			r, err := record(value)
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
	}
	return records, nil
}

// Revoke implements [session.Store].
func (s *Store) Revoke(ctx context.Context, r session.Revocation) error {
	kind, name, slot := kindSession, r.Session.String(), s.slotOf(r.Session.Slot())
	switch {
	case r.Token != "":
		kind, name, slot = kindToken, r.Token, s.slotOf(session.SlotOf(r.Token))
	case r.Subject != "":
		kind, name, slot = kindSubject, r.Subject, s.slotOf(session.SlotOf(r.Subject))
	}
	_, err := s.runReplicated(ctx, step{
		s.scripts.revoke, slot,
		[]string{slot.stream(), slot.origin()},
		[]any{kind, name, r.Generation, r.From.UnixMilli(), r.Until.UnixMilli()},
	}, always)
	return failed(ctx, "revoke", err)
}

func always(any) bool { return true }

// failed says where err comes from, and whether it is ctx's.
func failed(ctx context.Context, step string, err error) error {
	if err == nil {
		return nil
	}
	deadline, ok := ctx.Deadline()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case ok && !time.Now().Before(deadline): // the connection's timer was faster
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("redisstore: %s: %w", step, err)
}
