package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	// endPart is how many sessions one script ends. The server executes nothing
	// else in the meantime.
	endPart = 100

	// listPart is how many records one script reads.
	listPart = 500

	// lookPart is how many sessions one script looks at.
	lookPart = 500
)

// shorten prepares the owner of n, who has very many sessions, for Create: it removes
// expired sessions from the index, and ends the oldest ones that are too many.
func (s *Store) shorten(ctx context.Context, n session.New, bound session.Bound) error {
	slot := s.slotOf(n.Owner.Slot())
	count := 0
	for after := "-inf"; after != "-1"; {
		reply, err := s.run(ctx, step{
			s.scripts.sweep, slot,
			[]string{slot.owner(n.Owner)},
			attempt(n.Owner.Issuer, n.Owner.Audience, n.Owner.Subject, after, lookPart),
		})
		if err != nil {
			return err
		}
		text, _ := reply.(string)
		next, number, _ := strings.Cut(text, " ")
		if count, err = strconv.Atoi(number); err != nil {
			return errReply
		}
		after = next
	}
	e := session.Ending{Owner: n.Owner, Remember: n.Remember}
	for excess := count - bound.Max + 1; excess > 0 && !bound.Refuse; {
		ended, next, err := s.endSome(ctx, e, "-inf", "+inf", min(excess, endPart))
		if err != nil {
			return err
		}
		if excess -= len(ended); next == "-1" {
			break
		}
	}
	return nil
}

// EndAll implements [session.Store]. Each step is one script.
func (s *Store) EndAll(ctx context.Context, e session.Ending) (ended []session.ID, from time.Time, err error) {
	from, last, err := s.revokeAll(ctx, e)
	if err != nil {
		return nil, time.Time{}, failed(ctx, "end all", err)
	}
	for after := "-inf"; after != "-1"; {
		var some []session.ID
		if some, after, err = s.endSome(ctx, e, after, last, endPart); err != nil {
			return ended, from, failed(ctx, "end all", err)
		}
		ended = append(ended, some...)
	}
	return ended, from, nil
}

// revokeAll revokes the subject of e and returns the time of that, or the zero time if
// there are exceptions. It also returns when the youngest session was created.
func (s *Store) revokeAll(ctx context.Context, e session.Ending) (from time.Time, last string, err error) {
	slot, revoke := s.slotOf(e.Owner.Slot()), e.Revoke.Milliseconds()
	if len(e.Except) > 0 {
		revoke = -1
	}
	reply, err := s.runReplicated(ctx, step{
		s.scripts.revokeAll, slot,
		[]string{slot.owner(e.Owner), slot.stream(), slot.origin()},
		attempt(e.Owner.Issuer, e.Owner.Audience, e.Owner.Subject, revoke),
	}, func(any) bool { return revoke >= 0 })
	if err != nil {
		return time.Time{}, "", err
	}
	text, _ := reply.(string)
	now, last, _ := strings.Cut(text, " ")
	milliseconds, err := strconv.ParseInt(now, 10, 64)
	if err != nil {
		return time.Time{}, "", errReply
	}
	if revoke >= 0 {
		from = time.UnixMilli(milliseconds)
	}
	return from, last, nil
}

// endSome ends at most most sessions of e that were created from the time after until the time
// last, which are replies of the scripts. It returns their IDs, and the time to go on
// from.
func (s *Store) endSome(ctx context.Context, e session.Ending, after, last string, most int) ([]session.ID, string, error) {
	slot := s.slotOf(e.Owner.Slot())
	args := attempt(e.Owner.Issuer, e.Owner.Audience, e.Owner.Subject, e.Remember.Milliseconds(), after, last, most)
	for _, id := range e.Except {
		args = append(args, id.String())
	}
	reply, err := s.runReplicated(ctx, step{
		s.scripts.endAll, slot,
		[]string{slot.owner(e.Owner), slot.stream(), slot.origin()},
		args,
	}, always)
	if err != nil {
		return nil, "", err
	}
	text, _ := reply.(string)
	next, some, ok := strings.Cut(text, " ")
	if !ok {
		return nil, "", errReply
	}
	ended, err := ids(some)
	return ended, next, err
}

// List implements [session.Store]. It reads long lists in several scripts.
func (s *Store) List(ctx context.Context, owner session.Owner, after session.Cursor, limit int) ([]session.Record, error) {
	var records []session.Record
	for more := true; more && len(records) < limit; {
		var some []session.Record
		var err error
		if some, after, more, err = s.listSome(ctx, owner, after, min(limit-len(records), listPart)); err != nil {
			return nil, failed(ctx, "list", err)
		}
		records = append(records, some...)
	}
	return records, nil
}

// listSome returns those that are live of the next n sessions in the index of owner,
// and the cursor to go on from.
func (s *Store) listSome(ctx context.Context, owner session.Owner, after session.Cursor, n int) (records []session.Record, next session.Cursor, more bool, err error) {
	slot := s.slotOf(owner.Slot())
	reply, err := s.run(ctx, step{
		s.scripts.list, slot,
		[]string{slot.owner(owner)},
		attempt(owner.Issuer, owner.Audience, owner.Subject, after.Created.UnixMilli(), after.ID.String(), n),
	})
	if err != nil {
		return nil, after, false, err
	}
	list, _ := reply.([]any)
	looked, ok := at(list, 0).(int64)
	if !ok || len(list) < 3 {
		return nil, after, false, errReply
	}
	for _, value := range list[3:] {
		r, err := record(value)
		if err != nil {
			return nil, after, false, err
		}
		records = append(records, r)
	}
	if more = looked == int64(n); more {
		if next, ok = cursor(list[1], list[2]); !ok {
			return nil, after, false, errReply
		}
	}
	return records, next, more, nil
}

// cursor returns the place of a session in the index of its owner.
func cursor(score, member any) (session.Cursor, bool) {
	created, _ := score.(string)
	milliseconds, err := strconv.ParseInt(created, 10, 64)
	text, _ := member.(string)
	id, ok := session.ParseID(text)
	return session.Cursor{Created: time.UnixMilli(milliseconds), ID: id}, ok && err == nil
}
