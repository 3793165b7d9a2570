package session_test

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	now := stepBegin.Add(200 * time.Second)
	for _, row := range []struct {
		name   string
		change func(r *session.Record, c *session.Confirmation)
		at     time.Time
		want   bool
	}{
		{"unused", func(*session.Record, *session.Confirmation) {}, now, true},
		{"used before", func(r *session.Record, _ *session.Confirmation) { r.Used = stepBegin }, now, false},
		{"an earlier generation", func(_ *session.Record, c *session.Confirmation) { c.Generation = 4 }, now, false},
		{"a later generation", func(_ *session.Record, c *session.Confirmation) { c.Generation = 6 }, now, false},
		{"another session", func(_ *session.Record, c *session.Confirmation) { c.ID[0] ^= 1 }, now, false},
		{"ended", func(r *session.Record, _ *session.Confirmation) { r.Ended = session.SignedOut }, now, false},
		{"expired", func(*session.Record, *session.Confirmation) {}, now.Add(24 * time.Hour), false},
		{"after a late answer", func(r *session.Record, _ *session.Confirmation) { r.Late = true }, now, true},
		{"before the first rotation", func(r *session.Record, c *session.Confirmation) { *r, c.Generation = stepRecord(0, -1), 0 }, now, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := stepRecord(5, 100*time.Second)
			c := session.Confirmation{ID: r.ID, Generation: 5}
			row.change(&r, &c)
			want := r
			if row.want {
				want.Used = row.at
			}
			if got, changed := session.Confirm(r, c, row.at); changed != row.want || got != want {
				t.Errorf("got changed %v, record\n%+v, want %v,\n%+v", changed, got, row.want, want)
			}
		})
	}
}

func TestFirstUsed(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, row := range []struct {
		name      string
		used      bool
		presented uint32
		at        time.Duration
		window    time.Duration
		want      uint32
	}{
		{"Rotated, unused before", false, 5, 500 * s, 10 * s, 5},
		{"Rotated, used before", true, 5, 500 * s, 10 * s, 0},
		{"Repeated, unused before", false, 5, 101 * s, 10 * s, 5},
		{"Repeated, used before", true, 5, 101 * s, 10 * s, 0},
		{"Reissued", false, 4, 101 * s, 10 * s, 0},
		{"Reissued, late", false, 4, 500 * s, 10 * s, 0},
		{"Healed", false, 7, 500 * s, 10 * s, 7},
		{"Healed, used before", true, 6, 101 * s, 10 * s, 6},
		{"Healed, single use", false, 7, 500 * s, 0, 7},
		{"Stolen", false, 3, 500 * s, 10 * s, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, policy, now := stepRecord(5, 100*s), stepPolicy, stepBegin.Add(row.at)
			policy.ReuseWindow = row.window
			if row.used {
				r.Used = stepBegin.Add(100 * s)
			}
			after, verdict := session.Step(r, session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: row.presented}, now, policy)
			if got := session.FirstUsed(r, after, verdict); got != row.want {
				t.Errorf("got generation %d, want %d", got, row.want)
			}
		})
	}
}

func TestRetirement(t *testing.T) {
	t.Parallel()
	id, now := session.ID{7}, stepBegin
	want := session.Revocation{Session: id, Generation: 3, From: now.Add(10 * time.Second), Until: now.Add(70 * time.Second)}
	if got := session.Retirement(id, 3, now, stepPolicy); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
