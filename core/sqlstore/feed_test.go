package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// revoked are rows of revoked tokens, which can be read one after the other.
type revoked struct {
	tokens []string
	until  []int64       // when each revocation is over; the time of the database is 1000
	pause  time.Duration // before each row
	later  int64         // added to the version
	read   int
}

func (r *revoked) Columns() []string { return make([]string, 12) }
func (r *revoked) Close() error      { return nil }

func (r *revoked) Next(values []driver.Value) error {
	if r.read == len(r.tokens) {
		return io.EOF
	}
	time.Sleep(r.pause)
	copy(values, []driver.Value{
		int64(1000), int64(r.read + 1), 1 + r.later, "token", make([]byte, 18), int64(0), r.tokens[r.read], "", "", int64(0), r.until[r.read], int64(1000),
	})
	r.read++
	return nil
}

// A feed ends with an error if the database is silent for ten seconds. A database that
// answers slowly is not silent.
func TestFeedOfSilentDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []*revoked{{tokens: []string{"one", "two", "three"}, until: []int64{2000, 2000, 2000}, pause: 9 * time.Second}}
		store := newStore(t, &fake{query: func(ctx context.Context) (driver.Rows, error) {
			if len(answers) > 0 {
				answer := answers[0]
				answers = answers[1:]
				return answer, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}, silent)
		var heard []string
		var last time.Time
		err := store.Feed(t.Context(), func(r session.Revocation) { heard = append(heard, r.Token) }, func() { last = time.Now() })
		if !slices.Equal(heard, []string{"one", "two", "three"}) {
			t.Errorf("heard %v; want all three revocations", heard)
		}
		if took := time.Since(last); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Second {
			t.Errorf("got error %v, %v after the last read; want %v after ten seconds", err, took, context.DeadlineExceeded)
		}
	})
}

// A revocation that is over is not announced.
func TestFeedOfPastRevocation(t *testing.T) {
	store := newStore(t, &fake{query: func(context.Context) (driver.Rows, error) {
		return &revoked{tokens: []string{"past", "just over", "present"}, until: []int64{999, 1000, 1001}}, nil
	}}, silent)
	ctx, cancel := context.WithCancel(t.Context())
	var heard []string
	err := store.Feed(ctx, func(r session.Revocation) { heard = append(heard, r.Token) }, cancel)
	if !errors.Is(err, context.Canceled) || !slices.Equal(heard, []string{"present"}) {
		t.Errorf("heard %v, error %v; want the one that is present, %v", heard, err, context.Canceled)
	}
}

// While a feed runs, it removes old rows about once a minute. A failure is logged, and does
// not end the feed.
func TestFeedRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const failures = 10
		var times []time.Time
		var log strings.Builder
		store := newStore(t, &fake{
			query: func(context.Context) (driver.Rows, error) { return &revoked{}, nil },
			exec: func(statement string) error {
				if strings.HasPrefix(statement, "UPDATE jwtgate_state") {
					times = append(times, time.Now())
				}
				if len(times) > failures {
					return nil
				}
				return errors.New("no disk")
			},
		}, slog.New(slog.NewTextHandler(&log, nil)))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		reads := 0
		if err := store.Feed(ctx, func(session.Revocation) {}, func() { reads++ }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v; want %v", err, context.DeadlineExceeded)
		}
		if len(times) < 40 || len(times) > 120 {
			t.Errorf("got %d removals within an hour; want about 60", len(times))
		}
		for _, next := range times {
			if pause := next.Sub(start); pause < 30*time.Second || pause > 90*time.Second {
				t.Errorf("got a pause of %v between removals; want 30 to 90 seconds", pause)
			}
			start = next
		}
		if got := strings.Count(log.String(), "old sessions and revocations are not removed"); got != failures || !strings.Contains(log.String(), "no disk") {
			t.Errorf("got %d warnings; want %d with the cause", got, failures)
		}
		if reads < 4*60*60 {
			t.Errorf("got %d reads within an hour; want 4 a second", reads)
		}
	})
}
