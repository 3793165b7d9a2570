package session_test

import (
	"math"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/session"
)

var (
	stepBegin  = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	stepPolicy = session.Policy{Idle: time.Hour, ReuseWindow: 10 * time.Second, Remember: time.Minute}
)

// stepRecord returns a live record of a login at stepBegin. Its last rotation
// was at stepBegin plus rotated. If rotated is negative, there was none.
func stepRecord(generation uint32, rotated time.Duration) session.Record {
	r := session.Record{
		ID:         session.ID{1, 2, 3},
		Owner:      session.Owner{Subject: "alice"},
		NonceHash:  refreshtoken.Nonce{4, 5, 6}.Hash(),
		Generation: generation,
		Created:    stepBegin,
		Idle:       stepBegin.Add(stepPolicy.Idle),
		Limit:      stepBegin.Add(24 * time.Hour),
		UserAgent:  "a browser",
	}
	if rotated >= 0 {
		r.Parent = generation - 1
		r.Rotated = stepBegin.Add(rotated)
		r.Idle = r.Rotated.Add(stepPolicy.Idle)
	}
	return r
}

// TestStepVerdict checks which verdict follows from the generations and the
// time.
func TestStepVerdict(t *testing.T) {
	t.Parallel()
	const (
		s     = time.Second
		never = -s
		last  = math.MaxUint32
	)
	for _, row := range []struct {
		name       string
		generation uint32        // of the record
		rotated    time.Duration // since the login, like the field at
		presented  uint32
		at         time.Duration
		window     time.Duration
		want       session.Verdict
		after      uint32
	}{
		{"login opens no window", 0, never, 0, 0, 10 * s, session.Rotated, 1},
		{"a while after login", 0, never, 0, 100 * s, 10 * s, session.Rotated, 1},
		{"current, window open", 5, 100 * s, 5, 105 * s, 10 * s, session.Repeated, 5},
		{"current, at once", 5, 100 * s, 5, 100 * s, 10 * s, session.Repeated, 5},
		{"current, just inside", 5, 100 * s, 5, 110*s - 1, 10 * s, session.Repeated, 5},
		{"current, at the edge", 5, 100 * s, 5, 110 * s, 10 * s, session.Rotated, 6},
		{"current, window closed", 5, 100 * s, 5, 500 * s, 10 * s, session.Rotated, 6},
		{"one before, window open", 5, 100 * s, 4, 105 * s, 10 * s, session.Reissued, 5},
		{"one before, at once", 5, 100 * s, 4, 100 * s, 10 * s, session.Reissued, 5},
		{"one before, just inside", 5, 100 * s, 4, 110*s - 1, 10 * s, session.Reissued, 5},
		{"one before, first window", 1, 100 * s, 0, 101 * s, 10 * s, session.Reissued, 1},
		{"two before, window open", 5, 100 * s, 3, 101 * s, 10 * s, session.Stolen, 5},
		{"two before, window closed", 5, 100 * s, 3, 500 * s, 10 * s, session.Stolen, 5},
		{"the first, window open", 5, 100 * s, 0, 101 * s, 10 * s, session.Stolen, 5},

		{"clock back by less, current", 5, 100 * s, 5, 90*s + 1, 10 * s, session.Repeated, 5},
		{"clock back by less, one before", 5, 100 * s, 4, 90*s + 1, 10 * s, session.Reissued, 5},
		{"clock back by the window, current", 5, 100 * s, 5, 90 * s, 10 * s, session.Rotated, 6},
		{"clock back by more, current", 5, 100 * s, 5, 0, 10 * s, session.Rotated, 6},
		{"clock back before the login", 0, never, 0, -100 * s, 10 * s, session.Rotated, 1},
		{"clock back, one ahead", 5, 100 * s, 6, 0, 10 * s, session.Healed, 6},
		{"clock back, two ahead", 5, 100 * s, 7, 0, 10 * s, session.Stolen, 5},

		{"one ahead, at once", 5, 100 * s, 6, 100 * s, 10 * s, session.Healed, 6},
		{"two ahead, at once", 5, 100 * s, 7, 100 * s, 10 * s, session.Stolen, 5},
		{"two ahead, just inside", 5, 100 * s, 7, 110*s - 1, 10 * s, session.Stolen, 5},
		{"two ahead, a window later", 5, 100 * s, 7, 110 * s, 10 * s, session.Healed, 7},
		{"as far ahead as can be", 5, 100 * s, 16, 200 * s, 10 * s, session.Healed, 16},
		{"further ahead than can be", 5, 100 * s, 17, 200 * s, 10 * s, session.Stolen, 5},
		{"ahead of a login, as far as can be", 0, never, 11, 100 * s, 10 * s, session.Healed, 11},
		{"ahead of a login, further", 0, never, 12, 100 * s, 10 * s, session.Stolen, 0},
		{"ahead by all there are", 0, never, last - 1, 100 * s, 10 * s, session.Stolen, 0},

		{"single use, current", 5, 100 * s, 5, 100 * s, 0, session.Rotated, 6},
		{"single use, two before", 5, 100 * s, 3, 100 * s, 0, session.Stolen, 5},
		{"single use, far ahead", 5, 100 * s, 500, 100 * s, 0, session.Healed, 501},

		{"last but one", last - 1, 100 * s, last - 1, 500 * s, 10 * s, session.Rotated, last},
		{"last but one, window open", last, 100 * s, last - 1, 101 * s, 10 * s, session.Reissued, last},
		{"last, window open", last, 100 * s, last, 101 * s, 10 * s, session.Expired, last},
		{"last, window closed", last, 100 * s, last, 500 * s, 10 * s, session.Expired, last},
		{"last, far ahead", 5, 100 * s, last, 100 * s, 0, session.Expired, 5},
		{"last, of a record at the first", 0, 100 * s, last, 101 * s, 10 * s, session.Expired, 0},
		{"first, of a record at the last", last, 100 * s, 0, 101 * s, 10 * s, session.Stolen, last},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, now, policy := stepRecord(row.generation, row.rotated), stepBegin.Add(row.at), stepPolicy
			policy.ReuseWindow = row.window
			want := r
			switch row.want {
			case session.Rotated:
				want.Parent, want.Generation, want.Rotated, want.Idle = row.presented, row.after, now, now.Add(policy.Idle)
			case session.Healed:
				want.Parent, want.Generation, want.Rotated, want.Idle = row.after-1, row.after, now, now.Add(policy.Idle)
				if row.window > 0 {
					want.Used = now
				}
			case session.Repeated:
				want.Used = now
			case session.Stolen:
				want.Ended = session.Replayed
			}
			checkStep(t, r, session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: row.presented}, now, policy, want, row.want)
		})
	}
}

// TestStepOver checks the refusals that do not depend on generations, and their
// order.
func TestStepOver(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	type record = session.Record
	for _, row := range []struct {
		name   string
		change func(r *session.Record, p *session.Presented)
		at     time.Duration
		want   session.Verdict
	}{
		{"live", func(*record, *session.Presented) {}, 0, session.Rotated},
		{"no record", func(r *record, _ *session.Presented) { *r = record{} }, 0, session.Unknown},
		{"another session", func(_ *record, p *session.Presented) { p.ID[17] ^= 1 }, 0, session.Unknown},
		{"another nonce", func(_ *record, p *session.Presented) { p.NonceHash[31] ^= 1 }, 0, session.Invalid},
		{"another nonce, old", func(r *record, p *session.Presented) { p.NonceHash[0] ^= 1; r.Generation = 9 }, 0, session.Invalid},
		{"another nonce, signed out", func(r *record, p *session.Presented) { p.NonceHash[0] ^= 1; r.Ended = session.SignedOut }, 0, session.Invalid},
		{"another nonce, idle", func(_ *record, p *session.Presented) { p.NonceHash[0] ^= 1 }, 90 * minute, session.Invalid},
		{"signed out", func(r *record, _ *session.Presented) { r.Ended = session.SignedOut }, 0, session.Revoked},
		{"replayed", func(r *record, _ *session.Presented) { r.Ended = session.Replayed }, 0, session.Revoked},
		{"signed out, idle", func(r *record, _ *session.Presented) { r.Ended = session.SignedOut }, 90 * minute, session.Revoked},
		{"signed out, old", func(r *record, _ *session.Presented) { r.Ended, r.Generation = session.SignedOut, 9 }, 0, session.Revoked},
		{"just before idle", func(*record, *session.Presented) {}, 60*minute - 1, session.Rotated},
		{"idle", func(*record, *session.Presented) {}, 60 * minute, session.Expired},
		{"idle, old", func(r *record, _ *session.Presented) { r.Generation = 9 }, 60 * minute, session.Expired},
		{"just before the limit", func(r *record, _ *session.Presented) { r.Limit = r.Created.Add(30 * minute) }, 30*minute - 1, session.Rotated},
		{"at the limit", func(r *record, _ *session.Presented) { r.Limit = r.Created.Add(30 * minute) }, 30 * minute, session.Expired},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, now := stepRecord(0, -1), stepBegin.Add(row.at)
			p := session.Presented{ID: r.ID, NonceHash: r.NonceHash}
			row.change(&r, &p)
			want := r
			if row.want == session.Rotated {
				want.Generation, want.Rotated, want.Idle = 1, now, now.Add(stepPolicy.Idle)
				if r.Limit.Before(want.Idle) {
					want.Idle = r.Limit
				}
			}
			checkStep(t, r, p, now, stepPolicy, want, row.want)
		})
	}
}

func checkStep(t *testing.T, r session.Record, p session.Presented, now time.Time, policy session.Policy, want session.Record, verdict session.Verdict) {
	t.Helper()
	got, gotVerdict := session.Step(r, p, now, policy)
	if gotVerdict != verdict {
		t.Errorf("got verdict %d, want %d", gotVerdict, verdict)
	}
	if got != want {
		t.Errorf("got record\n%+v, want\n%+v", got, want)
	}
	switch good := gotVerdict.Good(); gotVerdict {
	case session.Rotated, session.Repeated, session.Reissued, session.Displaced, session.Healed:
		if !good || !got.LiveAt(now) {
			t.Errorf("got Good %v and LiveAt %v after verdict %d, want both", good, got.LiveAt(now), gotVerdict)
		}
	default:
		if good {
			t.Errorf("got Good after verdict %d", gotVerdict)
		}
	}
}

// A rotation extends the idle limit, but never beyond the absolute limit.
func TestStepLimits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		limit time.Duration
		idle  time.Duration
		want  time.Duration
	}{
		{"idle first", 24 * time.Hour, time.Hour, 90 * time.Minute},
		{"limit first", time.Hour, time.Hour, time.Hour},
		{"both", 90 * time.Minute, time.Hour, 90 * time.Minute},
		{"policy became stricter", 24 * time.Hour, time.Minute, 31 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, policy := stepRecord(0, -1), stepPolicy
			r.Limit, policy.Idle = stepBegin.Add(row.limit), row.idle
			p := session.Presented{ID: r.ID, NonceHash: r.NonceHash}
			got, verdict := session.Step(r, p, stepBegin.Add(30*time.Minute), policy)
			want := stepBegin.Add(row.want)
			if verdict != session.Rotated || !got.Idle.Equal(want) || !got.Expires().Equal(want) {
				t.Errorf("got verdict %d, Idle %v and Expires %v, want %d and %v", verdict, got.Idle, got.Expires(), session.Rotated, want)
			}
		})
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	login, rotated := stepRecord(0, -1), stepRecord(1, time.Minute)
	if got := login.Refreshed(); !got.Equal(stepBegin) {
		t.Errorf("got Refreshed %v after a login, want %v", got, stepBegin)
	}
	if got, want := rotated.Refreshed(), stepBegin.Add(time.Minute); !got.Equal(want) {
		t.Errorf("got Refreshed %v after a rotation, want %v", got, want)
	}
	rotated.Limit = stepBegin.Add(2 * time.Minute)
	if got := rotated.Expires(); !got.Equal(rotated.Limit) {
		t.Errorf("got Expires %v, want the limit %v", got, rotated.Limit)
	}
}
