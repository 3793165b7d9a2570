package examples

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// TestServersShareSessions checks that servers with the same Redis share sessions:
// a session moves between servers of different frameworks, and its end takes effect
// on all of them within a second.
func TestServersShareSessions(t *testing.T) {
	r := programs.StartRedis(t)
	servers := startAll(t, "JWT_KEY="+secret, "REDIS_URL="+r.URL())
	for i, a := range servers {
		b, c := servers[(i+1)%len(servers)], servers[(i+2)%len(servers)]
		first := tokens(t, a, "/token", alice, asForm)
		second := tokens(t, b, "/refresh", "refresh_token="+first.RefreshToken, asForm)
		again := tokens(t, c, "/refresh", "refresh_token="+first.RefreshToken, asForm)
		if second.RefreshToken == first.RefreshToken || again.RefreshToken != second.RefreshToken {
			t.Errorf("%s, %s: got two successors of one refresh token; want one", b.name, c.name)
		}
		c.want(t, 200, `"current":true`, "GET", "/sessions", "", bearer(second.AccessToken))
		access, refresh := browser(t, c, bob)
		b.want(t, 200, `"sub":"bob"`, "GET", "/me", "", "Cookie: "+access+"; "+refresh)

		a.want(t, 204, "", "POST", "/logout", "refresh_token="+second.RefreshToken, asForm)
		b.want(t, 204, "", "POST", "/logout/all", "", "Cookie: "+access+"; "+refresh)
		for _, p := range servers {
			took := max(p.refuses(t, bearer(first.AccessToken)), p.refuses(t, bearer(again.AccessToken)), p.refuses(t, "Cookie: "+access))
			t.Logf("%s, %s: %s refuses after %v", a.name, b.name, p.name, took)
			p.want(t, 401, `"code":"refresh_revoked"`, "POST", "/refresh", "refresh_token="+second.RefreshToken, asForm)
			p.want(t, 200, `"sub":"bob"`, "GET", "/me", "", bearer(login(t, c, bob)))
		}
	}
}

// refuses waits until p refuses credentials as revoked, and returns how long that
// took. It fails after a second.
func (p *process) refuses(t *testing.T, credentials string) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		got := p.send(t, "GET", "/me", "", credentials)
		took := time.Since(begin)
		if strings.Contains(got.body, `"code":"token_revoked"`) {
			return took
		}
		if took > time.Second {
			t.Fatalf("%s: still accepts a session %v after its end on another server: %s", p.name, took, got.text())
		}
	}
}

// TestRedisCrashes kills and restarts Redis while programs refresh on two servers.
// No session may end: every refresh must succeed or be answered 503 with Retry-After.
func TestRedisCrashes(t *testing.T) {
	const clients = 16
	r := programs.StartRedis(t)
	env := []string{"JWT_KEY=" + secret, "REDIS_URL=" + r.URL(), "REUSE_WINDOW=1s", "ACCESS_TTL=30s"}
	servers := []*process{start(t, "echo", env...), start(t, "gin", env...)}
	var (
		over              atomic.Bool
		good, unavailable atomic.Int64
		wg                sync.WaitGroup
	)
	for i := range clients {
		refresh := tokens(t, servers[i%2], "/token", alice, asForm).RefreshToken
		wg.Go(func() {
			rotate := func(p *process) int {
				got := p.send(t, "POST", "/refresh", "refresh_token="+refresh, asForm)
				switch {
				case got.status == 200:
					var answer tokenAnswer
					_ = json.Unmarshal([]byte(got.body), &answer)
					refresh = answer.RefreshToken
					good.Add(1)
				case got.status == 503 && got.header.Get("Retry-After") != "" && strings.Contains(got.body, `"code":"unavailable"`) && got.header["Set-Cookie"] == nil:
					unavailable.Add(1)
				default:
					t.Errorf("%s: %s", p.name, got.text())
				}
				return got.status
			}
			for turn := i; !over.Load(); turn++ {
				rotate(servers[turn%2])
			}
			for _, p := range servers { // both have recovered
				status := rotate(p)
				for range 30 { // a client whose answers were lost twice waits for two windows
					if status == 200 {
						break
					}
					time.Sleep(100 * time.Millisecond)
					status = rotate(p)
				}
				if status != 200 {
					t.Errorf("%s: got %d after Redis is back; want 200", p.name, status)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond) // under load
		r.Kill()
		time.Sleep(1200 * time.Millisecond) // without Redis, for longer than the reuse window
		r.Start()
		for _, p := range servers {
			p.recovers(t)
		}
	}
	over.Store(true)
	wg.Wait()
	t.Logf("%d refreshes, %d answers 503", good.Load(), unavailable.Load())
	if good.Load() == 0 || unavailable.Load() == 0 {
		t.Errorf("got %d refreshes and %d answers 503; want some of each", good.Load(), unavailable.Load())
	}
}

// recovers waits until p can reach Redis again.
func (p *process) recovers(t *testing.T) {
	t.Helper()
	begin := time.Now()
	for {
		got := p.send(t, "POST", "/token", bob, asForm)
		took := time.Since(begin)
		if got.status == http.StatusOK {
			t.Logf("%s has recovered after %v", p.name, took)
			return
		}
		if got.status != 503 || took > patience {
			t.Fatalf("%s: got this answer %v after Redis is back; want 200: %s", p.name, took, got.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestRedisHangs suspends Redis, so that its connections stay open. Access tokens
// must be accepted for REVOCATION_MAX_LAG, and no answer may clear a cookie.
func TestRedisHangs(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := programs.StartRedis(t)
			p := start(t, name, "JWT_KEY="+secret, "REDIS_URL="+r.URL(), "REVOCATION_MAX_LAG=2s")
			access, refresh := browser(t, p, alice)
			both := "Cookie: " + access + "; " + refresh
			p.want(t, 200, "", "GET", "/me", "", both)
			r.Signal(syscall.SIGSTOP)
			begin := time.Now()
			p.want(t, 200, "", "GET", "/me", "", both)
			// A renewal needs Redis, and must not wait for it forever.
			got := p.want(t, 503, `"code":"unavailable"`, "GET", "/me", "", "Cookie: "+refresh)
			if took := time.Since(begin); took > patience/2 || got.header["Set-Cookie"] != nil || got.header.Get("Retry-After") == "" {
				t.Errorf("after %v: %s", took, got.text())
			}
			time.Sleep(time.Until(begin.Add(3 * time.Second)))
			if got := p.want(t, 503, `"code":"unavailable"`, "GET", "/me", "", both); got.header["Set-Cookie"] != nil {
				t.Error(got.text())
			}
			r.Signal(syscall.SIGCONT)
			p.recovers(t)
			for deadline := time.Now().Add(patience); p.send(t, "GET", "/me", "", both).status != 200; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the server does not get revocations again")
				}
			}
		})
	}
}

// TestWrongRedisSettings is like TestWrongSettings, for settings that are wrong only
// with a Redis server.
func TestWrongRedisSettings(t *testing.T) {
	open, locked := programs.StartRedis(t), programs.StartRedis(t, "--requirepass", "s3cret")
	key := write(t, t.TempDir()+"/p256.pem", pkcs8(t, newECDSA(t, elliptic.P256())))
	for _, row := range []struct {
		env      []string
		variable string
		want     string
	}{
		{[]string{"REDIS_URL=" + open.URL()}, "JWT_KEY", "set the same JWT_KEY for all of them"},
		{[]string{"REDIS_URL=" + open.URL(), "JWT_ALG=ES256", "JWT_KEY=" + key}, "REFRESH_KEY", "at least 32 bytes"},
		{[]string{"REDIS_URL=" + locked.URL(), "JWT_KEY=" + secret}, "REDIS_URL", "NOAUTH"},
		{[]string{"REDIS_URL=redis://:not-the-s3cret@127.0.0.1:" + locked.Port, "JWT_KEY=" + secret}, "REDIS_URL", "WRONGPASS"},
		{[]string{"REDIS_URL=rediss://127.0.0.1:" + open.Port, "JWT_KEY=" + secret}, "REDIS_URL", "start that server"},
	} {
		cmd := program("fiber", row.env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		_ = cmd.Run() // the exit status is checked below
		got := stderr.String()
		if cmd.ProcessState.ExitCode() != 1 || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, row.variable+": ") || !strings.Contains(got, row.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: exit status %d, standard error %q", row.env, cmd.ProcessState.ExitCode(), got)
		}
	}
	start(t, "gin", "REDIS_URL=redis://:s3cret@127.0.0.1:"+locked.Port+"/3", "JWT_ALG=ES256", "JWT_KEY="+key, "REFRESH_KEY="+secret)
}
