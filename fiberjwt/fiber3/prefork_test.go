package fiberjwt_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// shared is a store that other processes could use.
type shared struct{ session.Store }

// TestPrefork checks that each process of Fiber's Prefork logs an error once if
// sessions are in its own memory.
func TestPrefork(t *testing.T) {
	for _, row := range []struct {
		name  string
		child string // whether Fiber has started this process for Prefork
		store session.Store
		want  int
	}{
		{"memory", "1", nil, 1},
		{"memory of one's own", "1", session.NewMemory(0, nil), 1},
		{"shared store", "1", shared{session.NewMemory(0, nil)}, 0},
		{"no Prefork", "", nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("FIBER_PREFORK_CHILD", row.child)
			var log, byDefault bytes.Buffer
			before := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&byDefault, nil)))
			defer slog.SetDefault(before)
			for _, logger := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(&log, nil))} {
				auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) {
					c.Sessions.Store, c.Sessions.Keys, c.Logger = row.store, [][]byte{[]byte(strings.Repeat("k", 32))}, logger
				})
				fiberjwt.Protect(auth)
				fiberjwt.Protect(auth, jwtgate.Role("admin"))
			}
			for where, text := range map[string]string{"Logger": log.String(), "slog.Default": byDefault.String()} {
				if got := strings.Count(text, "level=ERROR"); got != row.want || got > 0 && !strings.Contains(text, "Sessions.Store") {
					t.Errorf("%s: got %q, want %d errors that name Sessions.Store", where, text, row.want)
				}
			}
		})
	}
	t.Setenv("FIBER_PREFORK_CHILD", "1")
	fiberjwt.Protect(nil)
}
