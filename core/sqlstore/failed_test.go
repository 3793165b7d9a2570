package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

var someRevocation = session.Revocation{Token: "any", From: time.Unix(1, 0), Until: time.Unix(2, 0)}

// late is a context whose deadline has passed, and whose Err is nil all the same, which real
// contexts are for a moment.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// If the context is over, the error is that of the context, whatever error a driver returns
// then.
func TestErrorOfContext(t *testing.T) {
	broken := errors.New("broken")
	canceled, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	for _, row := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"canceled", canceled, context.Canceled},
		{"late", late{t.Context()}, context.DeadlineExceeded},
		{"in time", in, broken},
		{"without a deadline", t.Context(), broken},
	} {
		store := newStore(t, &fake{exec: func(string) error {
			if row.ctx == canceled {
				cancel()
			}
			return broken
		}}, silent)
		err := store.Revoke(row.ctx, someRevocation)
		if want := "sqlstore: revoke: " + row.want.Error(); !errors.Is(err, row.want) || err.Error() != want {
			t.Errorf("%s: got error %v; want %s", row.name, err, want)
		}
	}
}

// The answer that there are too many sessions is returned even if the context is over when
// it arrives.
func TestTooManyAndLate(t *testing.T) {
	store := newStore(t, &fake{query: func(context.Context) (driver.Rows, error) {
		return &counted{values: []driver.Value{int64(1000), int64(3), int64(0)}}, nil
	}}, silent)
	r, err := store.Create(late{t.Context()}, session.New{}, session.Bound{Max: 3, Refuse: true})
	if !errors.Is(err, session.ErrTooMany) || r != (session.Record{}) {
		t.Errorf("got record %+v, error %v; want none, %v", r, err, session.ErrTooMany)
	}
}

// counted is the row of the time, the live sessions of an owner, and those with an ID.
type counted struct {
	values []driver.Value
	read   bool
}

func (c *counted) Columns() []string { return make([]string, len(c.values)) }
func (c *counted) Close() error      { return nil }

func (c *counted) Next(values []driver.Value) error {
	if c.read {
		return io.EOF
	}
	c.read = true
	copy(values, c.values)
	return nil
}

// The default logger is that of the program.
func TestDefaultLogger(t *testing.T) { //nolint:paralleltest // it changes the default
	var log strings.Builder
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	store := newStore(t, &fake{query: func(context.Context) (driver.Rows, error) {
		return &revoked{tokens: []string{"any"}, until: []int64{2000}, later: 1}, nil
	}}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := store.Feed(ctx, func(session.Revocation) { t.Error("announced") }, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v; want %v", err, context.Canceled)
	}
	if !strings.Contains(log.String(), "later version") {
		t.Errorf("got the log %q; want a warning about a later version", &log)
	}
}
