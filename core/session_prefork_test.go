package jwtgate_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestPreforked checks that Preforked logs an error once if sessions are in memory. The error
// goes to the default logger if Config.Logger discards errors.
func TestPreforked(t *testing.T) { //nolint:paralleltest // it changes the default logger
	(*jwtgate.Auth)(nil).Preforked()
	newVerifier(t, keys.HS256(secret)).Preforked()

	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	memory := session.NewMemory(0, nil)
	for _, row := range []struct {
		name          string
		store         session.Store
		discard       bool // Config.Logger discards errors
		own, fallback int  // lines
	}{
		{"memory", memory, false, 1, 0},
		{"memory, a logger without errors", memory, true, 0, 1},
		{"another store", &faultyStore{Store: memory}, false, 0, 0},
	} {
		var own, fallback bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&fallback, nil)))
		s := newTestServer(t, onStore(row.store), func(c *jwtgate.Config) {
			if c.Logger = slog.New(slog.NewTextHandler(&own, nil)); row.discard {
				c.Logger = slog.New(slog.DiscardHandler)
			}
		})
		s.Preforked()
		s.Preforked()
		const text = "level=ERROR msg=\"jwtgate: several processes serve (prefork), but sessions are kept in the memory of each"
		if got, want := [...]int{strings.Count(own.String(), text), strings.Count(fallback.String(), text)}, [...]int{row.own, row.fallback}; got != want {
			t.Errorf("%s: got %d lines in its log and the default log; want %d", row.name, got, want)
		}
	}
}
