package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Advance implements [session.Store].
func (s *Store) Advance(ctx context.Context, p session.Presented, policy session.Policy) (session.Record, session.Verdict, error) {
	slot := s.slotOf(p.ID.Slot())
	reply, err := s.runReplicated(ctx, step{
		s.scripts.advance, slot,
		[]string{slot.session(p.ID)},
		attempt(advanceArgs(p, policy)),
	}, func(reply any) bool { return verdict(reply) == session.Stolen })
	if err != nil {
		return session.Record{}, 0, failed(ctx, "advance", err)
	}
	r, v, err := outcome(reply)
	return r, v, failed(ctx, "advance", err)
}

// outcome decodes a reply of the script for Advance.
func outcome(reply any) (session.Record, session.Verdict, error) {
	v := verdict(reply)
	switch v {
	case 0:
		return session.Record{}, 0, errReply
	case session.Unknown:
		return session.Record{}, v, nil
	}
	if list, ok := reply.([]any); ok {
		reply = at(list, 1)
	}
	r, err := record(reply)
	if err != nil {
		return session.Record{}, 0, err
	}
	return r, v, nil
}

// advanceArgs returns the numbers that advance.lua needs, in the layout that it
// decodes. An argument of its own for each number would cost more time.
func advanceArgs(p session.Presented, policy session.Policy) []byte {
	args := make([]byte, 0, 64)
	args = append(args, p.NonceHash[:]...)
	args = binary.BigEndian.AppendUint32(args, p.Generation)
	for _, n := range []int64{policy.Idle.Milliseconds(), ceilMilliseconds(policy.ReuseWindow), policy.Remember.Milliseconds()} {
		args = binary.BigEndian.AppendUint64(args, uint64(n)) //nolint:gosec // decoded as signed
	}
	if policy.Retire {
		return append(args, 1)
	}
	return append(args, 0)
}

// Confirm implements [session.Store]. It runs one script for each slot that has
// confirmations.
func (s *Store) Confirm(ctx context.Context, confirmations []session.Confirmation, policy session.Policy) error {
	args := make(map[slot][]any)
	for _, c := range confirmations {
		slot := s.slotOf(c.ID.Slot())
		args[slot] = append(args[slot], c.ID.String(), c.Generation)
	}
	errs := []error{ctx.Err()}
	for slot, confirmed := range args {
		_, err := s.run(ctx, step{
			s.scripts.confirm, slot,
			[]string{slot.stream(), slot.origin()},
			append(attempt(ceilMilliseconds(policy.ReuseWindow), policy.Remember.Milliseconds(), policy.Retire), confirmed...),
		})
		errs = append(errs, err)
	}
	return failed(ctx, "confirm", errors.Join(errs...))
}

// verdict returns the verdict in a reply of the script for Advance: that in the record if
// the step changed it, or else the first element of a list.
func verdict(reply any) session.Verdict {
	if changed, ok := reply.(string); ok {
		return verdictIn(changed)
	}
	n, _ := at(reply, 0).(int64)
	return session.Verdict(n) //nolint:gosec // the script returns verdicts only
}

// ceilMilliseconds rounds d up, so that a positive duration stays positive.
func ceilMilliseconds(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}
