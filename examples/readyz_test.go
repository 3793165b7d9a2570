package examples

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestReadyz checks that a server is ready, that it turns unready before it stops, and
// that an issuer without keys makes it unready.
func TestReadyz(t *testing.T) {
	t.Parallel()
	for _, p := range startAll(t, "JWT_KEY="+secret) {
		if got := p.want(t, 200, "", "GET", "/readyz", ""); got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s", p.name, got.text())
		}
		p.terminate()
		p.becomes(t, `"detail":"This process is shutting down."`, time.Second)
		p.want(t, 200, "", "GET", "/healthz", "")
		p.want(t, 200, `"access_token"`, "POST", "/token", alice, asForm)
	}
	p := start(t, "echo", "JWT_KEY="+secret, "OIDC_ISSUER=http://127.0.0.1:1/none")
	p.want(t, 503, `"detail":"The keys of the issuer \"http://127.0.0.1:1/none\" are missing."`, "GET", "/readyz", "")
	p.want(t, 200, `"access_token"`, "POST", "/token", alice, asForm)
}

// becomes waits until the answer of p to GET /readyz contains text, and fails if that
// takes longer than limit.
func (p *process) becomes(t *testing.T, text string, limit time.Duration) {
	t.Helper()
	begin := time.Now()
	for {
		got, err := p.try("GET", "/readyz", "")
		took := time.Since(begin)
		if err == nil && strings.Contains(got.text(), text) {
			t.Logf("%s: %q after %v", p.name, text, took)
			return
		}
		if took > limit {
			t.Fatalf("%s: got no %q in %v: %s, %v", p.name, text, took, got.text(), err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// startWithMetrics is start for a server with metrics. It returns a function that reads
// them.
func startWithMetrics(t *testing.T, name string, env ...string) (p *process, metrics func() string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	p = start(t, name, append(env, "METRICS_ADDR="+addr)...)
	if got := p.send(t, "GET", "/metrics", ""); got.status != http.StatusNotFound {
		t.Errorf("%s: got %d for /metrics at the public address; want 404", name, got.status)
	}
	other := &process{name: name + "'s metrics", url: "http://" + addr}
	return p, func() string {
		t.Helper()
		return other.want(t, 200, "", "GET", "/metrics", "").body
	}
}

// metric returns the value of the metric whose line begins with name and its labels, empty
// if there is none.
func metric(metrics, name string) string {
	for line := range strings.Lines(metrics) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestMetrics checks the metrics of every server after a few requests.
func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		p, metrics := startWithMetrics(t, name, "JWT_KEY="+secret)
		got := tokens(t, p, "/token", alice, asForm)
		for range 3 {
			p.want(t, 200, "", "GET", "/me", "", bearer(got.AccessToken))
		}
		p.want(t, 401, "", "GET", "/me", "", "Authorization: Bearer x.y.z")
		p.want(t, 403, "", "GET", "/admin", "", bearer(login(t, p, bob)))
		next := tokens(t, p, "/refresh", "refresh_token="+got.RefreshToken, asForm)
		_, refresh := browser(t, p, bob)
		p.want(t, 200, "", "GET", "/me", "", "Cookie: "+refresh)
		p.want(t, 204, "", "POST", "/logout", "refresh_token="+next.RefreshToken, asForm)
		const issuer = `jwtgate_issuer="https://auth.example.test"`
		text := metrics()
		for line, want := range map[string]string{
			"jwtgate_sessions_begun_total":                         "3",
			"jwtgate_sessions_rotated_total":                       "2",
			`jwtgate_sessions_ended_total{jwtgate_reason="ended"}`: "1",
			"jwtgate_sessions_replayed_total":                      "0",
			"jwtgate_renewals_total":                               "1",
			"jwtgate_cache_hits_total":                             "1",
			`jwtgate_events_total{jwtgate_event="signed_in"}`:      "3",
			`jwtgate_decisions_total{jwtgate_code="accepted",jwtgate_endpoint="guard",` + issuer + `,jwtgate_judged="cold"}`:                                           "2",
			`jwtgate_decisions_total{http_response_status_code="403",jwtgate_code="insufficient_scope",jwtgate_endpoint="guard",` + issuer + `,jwtgate_judged="cold"}`: "1",
			`jwtgate_decisions_total{http_response_status_code="401",jwtgate_code="token_invalid",jwtgate_endpoint="guard",jwtgate_issuer="",jwtgate_judged="cold"}`:   "1",
			`jwtgate_decisions_total{http_response_status_code="200",jwtgate_code="accepted",jwtgate_endpoint="token",` + issuer + `,jwtgate_judged=""}`:               "2",
		} {
			if got := metric(text, line); got != want {
				t.Errorf("%s: got %q for %s; want %s", name, got, line, want)
			}
		}
		if age := metric(text, "jwtgate_feed_age_seconds"); age == "" {
			t.Errorf("%s: got no age of the feed", name)
		}
		if strings.Contains(text, "alice") || strings.Contains(text, got.AccessToken[:20]) {
			t.Errorf("%s: the metrics name a user or have a token", name)
		}
	}
}
