package examples

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// TestFaults breaks the Redis server in each way, and checks that /readyz, the metrics and
// the log tell what happened within a second, with few lines, and that they tell the end.
func TestFaults(t *testing.T) {
	for _, row := range []struct {
		name    string
		breaks  func(*programs.Redis)
		mends   func(*programs.Redis)
		readyz  string
		metrics []string // one of them is in the metrics
		log     string
		over    string // the line at the end
	}{
		{
			"killed", (*programs.Redis).Kill, (*programs.Redis).Start, "The session store cannot be reached.",
			[]string{`error_type="_OTHER"`, `error_type="timeout"`}, "the session store cannot be read", "the session store can be read again",
		},
		{
			"hung", func(r *programs.Redis) { r.Signal(syscall.SIGSTOP) }, func(r *programs.Redis) { r.Signal(syscall.SIGCONT) }, "The session store cannot be reached.",
			[]string{`error_type="timeout"`}, "the session store cannot be read", "the session store can be read again",
		},
		{
			"full", func(r *programs.Redis) { r.Do("CONFIG SET maxmemory 1") }, func(r *programs.Redis) { r.Do("CONFIG SET maxmemory 0") }, "The session store is full.",
			[]string{`error_type="full",jwtgate_operation="create"`}, "the session store cannot be written to", "the session store can be written to again",
		},
		{
			"emptied", func(r *programs.Redis) { r.Do("FLUSHALL") }, func(*programs.Redis) {}, "ready",
			[]string{`jwtgate_events_total{jwtgate_event="store_emptied"} 1`}, "the session store has lost its data", "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := programs.StartRedis(t)
			p, metrics := startWithMetrics(t, "nethttp", "JWT_KEY="+secret, "REDIS_URL="+r.URL(), "REVOCATION_MAX_LAG=2s")
			access, refresh := browser(t, p, alice)
			for range 3 {
				p.becomes(t, "ready", time.Second)
				time.Sleep(300 * time.Millisecond) // the next probe uses the store
			}
			row.breaks(r)
			begin := time.Now()
			p.becomes(t, row.readyz, time.Second)
			told := func() bool {
				text := metrics()
				for _, want := range row.metrics {
					if strings.Contains(text, want) {
						return strings.Contains(p.log.String(), row.log)
					}
				}
				return false
			}
			for !told() { // after FLUSHALL, the server is ready at once
				if time.Since(begin) > time.Second {
					t.Fatalf("got no %q in the log, or none of %q in the metrics, within a second:\n%s", row.log, row.metrics, p.log.String())
				}
				time.Sleep(10 * time.Millisecond)
				_, _ = p.try("GET", "/readyz", "")
			}
			t.Logf("metrics and log told it after %v", time.Since(begin))

			// However many requests fail, each cause is a few lines.
			for until := begin.Add(4 * time.Second); time.Now().Before(until); {
				_, _ = p.try("POST", "/token", alice, asForm)
				_, _ = p.try("GET", "/me", "", "Cookie: "+access+"; "+refresh)
				_, _ = p.try("GET", "/me", "", "Cookie: "+refresh)
				_, _ = p.try("GET", "/readyz", "")
			}
			lines := map[string]int{}
			for line := range strings.Lines(p.log.String()) {
				if _, text, ok := strings.Cut(line, " level=ERROR "); ok {
					text, _, _ = strings.Cut(text, " cause=")
					lines[text]++
				}
			}
			for text, n := range lines {
				if n > 2 {
					t.Errorf("got %d lines with %s; want at most 2", n, text)
				}
			}
			if len(lines) == 0 || len(lines) > 6 {
				t.Errorf("got %d causes in the log; want 1 to 6: %v", len(lines), lines)
			}
			row.mends(r)
			p.becomes(t, "ready", patience)
			if !strings.Contains(p.log.String(), row.over) {
				t.Errorf("got no line %q at the end:\n%s", row.over, p.log.String())
			}
		})
	}
}
