package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewedAnswerLate checks that an answer that begins more than half of the ReuseWindow
// after the rotation has neither cookie, and that the browser's next request is renewed.
func TestRenewedAnswerLate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		setting func(*jwtgate.Config)
		after   time.Duration
		want    bool // whether the answer has cookies
	}{
		{"at once", nil, 0, true},
		{"at half of the window", nil, 5 * time.Second, true},
		{"later", nil, 5*time.Second + time.Millisecond, false},
		{"much later", nil, time.Hour, false},
		{"a longer window", func(c *jwtgate.Config) { c.Sessions.ReuseWindow = time.Minute }, 30 * time.Second, true},
		{"a longer window, later", func(c *jwtgate.Config) { c.Sessions.ReuseWindow = time.Minute }, 31 * time.Second, false},
		{"single use", func(c *jwtgate.Config) { c.Sessions.SingleUse = true }, 5 * time.Second, true},
		{"single use, later", func(c *jwtgate.Config) { c.Sessions.SingleUse = true }, 6 * time.Second, false},
	} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
			if row.setting != nil {
				row.setting(c)
			}
		})
		b := browserWith(s.signIn("alice"))
		s.clock.Advance(time.Hour)
		d := s.Auth.Decide(t.Context(), b.request(http.MethodPost))
		if !d.Renewed {
			t.Fatalf("%s: the request was not renewed", row.name)
		}
		s.clock.Advance(row.after)
		header := http.Header{"Set-Cookie": {"theme=dark"}, "Cache-Control": {"public"}}
		d.CommitWriter(answerTo{header}).Commit()
		want := 1
		if row.want {
			want = 3
		}
		if got := header["Set-Cookie"]; len(got) != want || got[0] != "theme=dark" {
			t.Errorf("%s: got Set-Cookie %q; want %d lines", row.name, got, want)
		}
		if got := header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: got Cache-Control %q; want no-store", row.name, got)
		}
		if row.want {
			continue
		}
		if got := s.decide(b.request(http.MethodPost)); got != "pass alice new" {
			t.Errorf("%s: the next request: got %s", row.name, got)
		}
	}
}
