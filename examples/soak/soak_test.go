package main

import (
	"os"
	"testing"
	"time"
)

// TestSoak runs the command for some seconds, or for as long as JWTGATE_SOAK says, such
// as 1m.
func TestSoak(t *testing.T) {
	duration := 12 * time.Second
	if text := os.Getenv("JWTGATE_SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		store  string
		faults bool
	}{{"memory", false}, {"redis", true}} {
		t.Run(row.store, func(t *testing.T) {
			t.Parallel()
			s := newSoak(t, row.store, row.faults)
			s.run(t.Context(), duration)
			t.Log(s.report())
			if s.failed() {
				t.Error("a client was signed out, or an answer was wrong")
			}
			if renewals := s.renewals(); renewals == 0 {
				t.Error("no client was renewed")
			}
			for _, c := range s.clients {
				if c.requests == 0 {
					t.Errorf("%s sent no requests", c.name)
				}
			}
		})
	}
}
