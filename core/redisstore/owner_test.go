package redisstore_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// The sessions of a subject with many are ended, listed and bounded in several scripts,
// because the server executes nothing else during one.
func TestManyInSteps(t *testing.T) {
	t.Parallel()
	const many = 1200
	client := startServer(t).client()
	store := newStore(t, client, redisstore.Config{})
	for _, row := range []struct {
		name    string
		step    func() error
		scripts int // at least
	}{
		{"List", func() error {
			_, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 2*many)
			return err
		}, many / 500},
		{"Create at a lowered bound", func() error {
			n, _ := newSession("alice")
			_, err := store.Create(t.Context(), n, session.Bound{Max: 1})
			return err
		}, many/500 + many/100},
		{"EndAll", func() error {
			_, _, err := store.EndAll(t.Context(), all("alice"))
			return err
		}, many / 100},
	} {
		for range many {
			create(t, store, "alice")
		}
		if err := client.ConfigResetStat(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := row.step(); err != nil {
			t.Fatal(err)
		}
		stats := client.InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_evalsha"]
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		if n, err := strconv.Atoi(calls); err != nil || n < row.scripts {
			t.Errorf("%s: executed %s scripts, want at least %d", row.name, calls, row.scripts)
		}
	}
}
