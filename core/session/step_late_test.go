package session_test

import (
	"math"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// TestStepLate checks what happens to the parent of a record, and to a displaced
// generation. In each row, the record has generation 5, the window is 10 seconds,
// and the rotation was at 100 seconds.
func TestStepLate(t *testing.T) {
	t.Parallel()
	const s = time.Second
	unused := session.Record{Generation: 5, Parent: 4, Rotated: stepBegin.Add(100 * s)}
	used := unused
	used.Used = stepBegin.Add(200 * s)
	before := unused
	before.LateBefore = true
	displaced := session.Record{Generation: 5, Parent: 3, Rotated: stepBegin.Add(100 * s), Late: true, LateBefore: true}
	displacedUsed := displaced
	displacedUsed.Used = stepBegin.Add(200 * s)
	end := unused
	end.Generation, end.Parent, end.LateBefore = math.MaxUint32, math.MaxUint32-1, true
	for _, row := range []struct {
		name      string
		record    session.Record
		presented uint32
		at        time.Duration
		window    time.Duration
		want      session.Verdict
	}{
		{"unused, just inside", unused, 4, 110*s - 1, 10 * s, session.Reissued},
		{"unused, at the edge", unused, 4, 110 * s, 10 * s, session.Reissued},
		{"unused, much later", unused, 4, 2000 * s, 10 * s, session.Reissued},
		{"unused, two before", unused, 3, 101 * s, 10 * s, session.Stolen},
		{"unused, clock back by the window", unused, 4, 90 * s, 10 * s, session.Reissued},

		{"late before, just inside", before, 4, 110*s - 1, 10 * s, session.Reissued},
		{"late before, at the edge", before, 4, 110 * s, 10 * s, session.Busy},
		{"late before, just before two windows", before, 4, 120*s - 1, 10 * s, session.Busy},
		{"late before, after two windows", before, 4, 120 * s, 10 * s, session.Displaced},
		{"late before, much later", before, 4, 2000 * s, 10 * s, session.Displaced},
		{"late before, clock back by less than two windows", before, 4, 80*s + 1, 10 * s, session.Busy},
		{"late before, clock back by two windows", before, 4, 80 * s, 10 * s, session.Displaced},
		{"late before, the last generation", end, math.MaxUint32 - 1, 2000 * s, 10 * s, session.Expired},
		{"late before, current", before, 5, 2000 * s, 10 * s, session.Rotated},

		{"used, at once", used, 4, 200 * s, 10 * s, session.Reissued},
		{"used, just inside", used, 4, 210*s - 1, 10 * s, session.Reissued},
		{"used, at the edge", used, 4, 210 * s, 10 * s, session.Stale},
		{"used, just before three windows", used, 4, 230*s - 1, 10 * s, session.Stale},
		{"used, after three windows", used, 4, 230 * s, 10 * s, session.Stolen},
		{"used, clock back by the window", used, 4, 190 * s, 10 * s, session.Stale},
		{"used, before the end of the first window", used, 4, 105 * s, 10 * s, session.Reissued},
		{"used, current", used, 5, 205 * s, 10 * s, session.Rotated},
		{"used, two before", used, 3, 201 * s, 10 * s, session.Stolen},

		{"displaced, window open", displaced, 4, 110*s - 1, 10 * s, session.Reissued},
		{"displaced, at the edge", displaced, 4, 110 * s, 10 * s, session.Stolen},
		{"displaced, much later", displaced, 4, 2000 * s, 10 * s, session.Stolen},
		{"displaced, just after the use", displacedUsed, 4, 210*s - 1, 10 * s, session.Reissued},
		{"displaced, a window after the use", displacedUsed, 4, 210 * s, 10 * s, session.Stolen},
		{"displaced, parent, window open", displaced, 3, 105 * s, 10 * s, session.Reissued},
		{"displaced, parent, at the edge", displaced, 3, 110 * s, 10 * s, session.Busy},
		{"displaced, parent, after two windows", displaced, 3, 120 * s, 10 * s, session.Displaced},
		{"displaced, parent, just after the use", displacedUsed, 3, 209 * s, 10 * s, session.Reissued},
		{"displaced, parent, a window after the use", displacedUsed, 3, 210 * s, 10 * s, session.Stale},
		{"displaced, before the parent", displaced, 2, 101 * s, 10 * s, session.Stolen},
		{"displaced, current", displaced, 5, 110 * s, 10 * s, session.Rotated},

		{"single use, unused", unused, 4, 100 * s, 0, session.Reissued},
		{"single use, unused, much later", unused, 4, 2000 * s, 0, session.Reissued},
		{"single use, late before", before, 4, 100 * s, 0, session.Displaced},
		{"single use, used", used, 4, 200 * s, 0, session.Stolen},
		{"single use, displaced", displaced, 4, 100 * s, 0, session.Stolen},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, now, policy := stepRecord(5, 100*s), stepBegin.Add(row.at), stepPolicy
			policy.ReuseWindow = row.window
			r.Generation, r.Parent, r.Used, r.Late, r.LateBefore = row.record.Generation, row.record.Parent, row.record.Used, row.record.Late, row.record.LateBefore
			want := r
			closed := now.Sub(r.Rotated).Abs() >= row.window
			switch {
			case row.want == session.Rotated:
				want.Generation, want.Parent, want.Rotated, want.Idle = 6, 5, now, now.Add(policy.Idle)
				want.Used, want.LateBefore, want.Late = time.Time{}, r.Late, false
			case row.want == session.Reissued && closed && r.Used.IsZero():
				want.Rotated, want.Late = now, true
			case row.want == session.Displaced:
				want.Generation, want.Rotated, want.Late = r.Generation+1, now, true
			case row.want == session.Stolen:
				want.Ended = session.Replayed
			}
			checkStep(t, r, session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: row.presented}, now, policy, want, row.want)
		})
	}
}

// A healed session has no memory of late answers.
func TestStepHealed(t *testing.T) {
	t.Parallel()
	r, now := stepRecord(5, 100*time.Second), stepBegin.Add(200*time.Second)
	r.Late, r.LateBefore = true, true
	for _, window := range []time.Duration{stepPolicy.ReuseWindow, 0} {
		policy := stepPolicy
		policy.ReuseWindow = window
		got, verdict := session.Step(r, session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: 7}, now, policy)
		if verdict != session.Healed || got.Late || got.LateBefore {
			t.Errorf("window %v: got verdict %d, record %+v, want %d without late answers", window, verdict, got, session.Healed)
		}
		if used := !got.Used.IsZero(); used != (window > 0) {
			t.Errorf("window %v: got Used %v", window, got.Used)
		}
	}
}

// A use is recorded once, and does not change what other uses of the token do.
func TestStepRepeatedTwice(t *testing.T) {
	t.Parallel()
	r := stepRecord(5, 100*time.Second)
	p := session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: 5}
	first, _ := session.Step(r, p, stepBegin.Add(103*time.Second), stepPolicy)
	second, verdict := session.Step(first, p, stepBegin.Add(104*time.Second), stepPolicy)
	if verdict != session.Repeated || second != first || !first.Used.Equal(stepBegin.Add(103*time.Second)) {
		t.Errorf("got verdict %d, record %+v, want %d, %+v", verdict, second, session.Repeated, first)
	}
}
