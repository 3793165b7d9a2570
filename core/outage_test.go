package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestOutages checks how failures on the server's side are logged: the first one at once,
// further ones as a sum once a minute, and the end.
func TestOutages(t *testing.T) {
	t.Parallel()
	const (
		begins = "ERROR the session store cannot be read"
		ends   = "INFO the session store can be read again"
	)
	for _, row := range []struct {
		name string
		// fails tells whether the store fails in the given second.
		fails func(second int) bool
		want  string
	}{
		{"never", func(int) bool { return false }, ""},
		{"one moment", func(s int) bool { return s == 5 }, "5 " + begins + ", 6 " + ends + " since=5"},
		{"ten seconds", func(s int) bool { return s < 10 }, "0 " + begins + ", 10 " + ends + " since=0 more=9"},
		{"two minutes", func(s int) bool { return s < 120 }, "0 " + begins + ", 60 " + begins + " since=0 more=59, 120 " + begins + " since=0 more=60, 120 " + ends + " since=0"},
		{"every other second", func(s int) bool { return s < 120 && s%2 == 0 }, "0 " + begins + ", 1 " + ends + " since=0, 60 " + begins + " since=58 more=29, 61 " + ends + " since=60 more=1, 120 " + begins + " since=118 more=29, 180 " + ends + " since=118"},
		{"twice", func(s int) bool { return s == 0 || s == 130 }, "0 " + begins + ", 1 " + ends + " since=0, 130 " + begins + ", 131 " + ends + " since=130"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log lockedLog
				s := newTestServer(t, func(c *jwtgate.Config) {
					c.Now, c.Logger = nil, debugLogger(&log)
					c.Sessions.Store = &faultyStore{Store: session.NewMemory(0, nil)}
				})
				store := s.config.Sessions.Store.(*faultyStore)
				begin, tokens := time.Now(), s.signIn("alice")
				for second := range 240 {
					if store.mend(); row.fails(second) {
						store.breaks("Find", false)
					}
					s.refresh(tokens.Refresh)
					if second == 0 { // no request is at the same time as a sum
						time.Sleep(500 * time.Millisecond)
					}
					time.Sleep(time.Second)
				}
				s.Close()
				synctest.Wait()
				if got := outageLines(t, begin, log.String()); got != row.want {
					t.Errorf("got %s; want %s", got, row.want)
				}
			})
		})
	}
}

// TestOutagesClose checks that an Auth logs no sums after Close.
func TestOutagesClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lockedLog
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
		rule := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return false, errBroken })
		for range 2 {
			decide(t, auth, withBearer(signed(t, claims())), jwtgate.CodeUnavailable, rule)
		}
		auth.Close()
		before := log.String()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := log.String()[len(before):]; got != "" {
			t.Errorf("got %s; want no lines after Close", got)
		}
	})
}

// A lockedLog is the output of a log that timers write to.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// outageLines returns the lines of log above debug level in short form: the second after
// begin, the level, the text, the second of the attribute since, and the number of further
// failures.
func outageLines(t *testing.T, begin time.Time, log string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=DEBUG") {
			continue
		}
		var stamp, level string
		if _, err := fmt.Sscanf(line, "time=%s level=%s", &stamp, &level); err != nil {
			t.Fatal(err)
		}
		second := func(stamp string) int {
			at, err := time.Parse(time.RFC3339, stamp)
			if err != nil {
				t.Fatal(err)
			}
			return int(at.Sub(begin) / time.Second)
		}
		_, text, _ := strings.Cut(line, `msg="`)
		text, rest, _ := strings.Cut(text, `"`)
		short := fmt.Sprint(second(stamp), " ", level, " ", text)
		if _, since, found := strings.Cut(rest, " since="); found {
			since, _, _ = strings.Cut(since, " ")
			short += fmt.Sprint(" since=", second(since))
		}
		if _, more, _ := strings.Cut(strings.TrimSpace(rest), " more="); more != "" && more != "0" {
			short += " more=" + more
		}
		lines = append(lines, short)
	}
	return strings.Join(lines, ", ")
}

// TestInternalErrorsAreFewLines checks that errors of the application's own functions are few
// lines too, even if each has another text.
func TestInternalErrorsAreFewLines(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		fail func(n int) error
		want int // lines at once, and at the end
		sums int // lines after a minute
	}{
		{"one text", func(int) error { return errBroken }, 1, 1},
		{"two texts", func(n int) error { return fmt.Errorf("row %d: %w", n%2, errBroken) }, 2, 2},
		{"eight texts", func(n int) error { return fmt.Errorf("row %d: %w", n%8, errBroken) }, 8, 8},
		{"a thousand texts", func(n int) error { return fmt.Errorf("row %d: %w", n, errBroken) }, 9, 1},
		{"long texts", func(n int) error { return errors.New(strings.Repeat("x", 1000) + fmt.Sprint(n)) }, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log lockedLog
				n := 0
				auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
				defer auth.Close()
				rule := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { n++; return false, row.fail(n) })
				req := withBearer(signed(t, claims()))
				for range 1000 {
					decide(t, auth, req, jwtgate.CodeUnavailable, rule)
				}
				if got := strings.Count(log.String(), "level=ERROR"); got != row.want {
					t.Errorf("got %d lines at once; want %d", got, row.want)
				}
				before := len(log.String())
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := strings.Count(log.String()[before:], "level=ERROR"); got != row.sums {
					t.Errorf("got %d lines after a minute; want %d", got, row.sums)
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := strings.Count(log.String(), `level=INFO msg="this has not happened again for a minute: internal error"`); got != row.want {
					t.Errorf("got %d lines at the end; want %d: %s", got, row.want, log.String())
				}
			})
		})
	}
}

// TestOutageKeepsNothingOfTheRequest checks that the sum of the failures names the request
// that failed, in a framework that has reused its memory since.
func TestOutageKeepsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lockedLog
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
		defer auth.Close()
		rule := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return false, errBroken })
		method, path := []byte("GET"), []byte("/alice")
		req := withBearer(signed(t, claims()))
		req.Method, req.Path = unsafeString(method), unsafeString(path)
		for range 2 {
			decide(t, auth, req, jwtgate.CodeUnavailable, rule)
		}
		copy(method, "PUT")
		copy(path, "/mallo")
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := log.String(), `msg="internal error" cause="broken by the test" code=unavailable method=GET path=/alice since=`; !strings.Contains(got, want) {
			t.Errorf("got log %s; want %s", got, want)
		}
	})
}
