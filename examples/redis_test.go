package examples

import (
	"bufio"
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A redis is a Redis server for one test. It keeps acknowledged writes after a crash.
type redis struct {
	t    *testing.T
	path string // the path of the program
	dir  string
	port string
	cmd  *exec.Cmd

	options []string // additional command line options
}

// startRedis starts a Redis server. It stops when the test ends.
func startRedis(t *testing.T, options ...string) *redis {
	t.Helper()
	r := &redis{t: t, path: installed(t, "redis-server", "valkey-server"), dir: t.TempDir(), options: options}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, r.port, _ = net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *redis) url() string { return "redis://127.0.0.1:" + r.port + "/0" }

// start starts the server, or restarts it after kill, and waits until it answers.
func (r *redis) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.path, append([]string{"--bind", "127.0.0.1", "--port", r.port, "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile", "redis.log"}, r.options...)...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); r.ping() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(r.dir + "/redis.log")
			r.t.Fatalf("Redis does not answer: %v\n%s", r.ping(), log)
		}
	}
}

func (r *redis) ping() error {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+r.port, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprint(conn, "PING\r\n")
	switch line, err := bufio.NewReader(conn).ReadString('\n'); {
	case line == "+PONG\r\n", strings.HasPrefix(line, "-NOAUTH"):
		return nil
	default:
		return fmt.Errorf("got %q, %w", line, err)
	}
}

// kill ends the server like a crash.
func (r *redis) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *redis) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

// TestServersShareSessions checks that servers with the same Redis share sessions:
// a session moves between servers of different frameworks, and its end takes effect
// on all of them within a second.
func TestServersShareSessions(t *testing.T) {
	r := startRedis(t)
	servers := startAll(t, "JWT_KEY="+secret, "REDIS_URL="+r.url())
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
	const programs = 16
	r := startRedis(t)
	env := []string{"JWT_KEY=" + secret, "REDIS_URL=" + r.url(), "REUSE_WINDOW=1s", "ACCESS_TTL=30s"}
	servers := []*process{start(t, "echo", env...), start(t, "gin", env...)}
	var (
		over              atomic.Bool
		good, unavailable atomic.Int64
		wg                sync.WaitGroup
	)
	for i := range programs {
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
		r.kill()
		time.Sleep(1200 * time.Millisecond) // without Redis, for longer than the reuse window
		r.start()
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
			r := startRedis(t)
			p := start(t, name, "JWT_KEY="+secret, "REDIS_URL="+r.url(), "REVOCATION_MAX_LAG=2s")
			access, refresh := browser(t, p, alice)
			both := "Cookie: " + access + "; " + refresh
			p.want(t, 200, "", "GET", "/me", "", both)
			r.signal(syscall.SIGSTOP)
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
			r.signal(syscall.SIGCONT)
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
	open, locked := startRedis(t), startRedis(t, "--requirepass", "s3cret")
	key := write(t, t.TempDir()+"/p256.pem", pkcs8(t, newECDSA(t, elliptic.P256())))
	for _, row := range []struct {
		env      []string
		variable string
		want     string
	}{
		{[]string{"REDIS_URL=" + open.url()}, "JWT_KEY", "set the same JWT_KEY for all of them"},
		{[]string{"REDIS_URL=" + open.url(), "JWT_ALG=ES256", "JWT_KEY=" + key}, "REFRESH_KEY", "at least 32 bytes"},
		{[]string{"REDIS_URL=" + locked.url(), "JWT_KEY=" + secret}, "REDIS_URL", "NOAUTH"},
		{[]string{"REDIS_URL=redis://:not-the-s3cret@127.0.0.1:" + locked.port, "JWT_KEY=" + secret}, "REDIS_URL", "WRONGPASS"},
		{[]string{"REDIS_URL=rediss://127.0.0.1:" + open.port, "JWT_KEY=" + secret}, "REDIS_URL", "start that server"},
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
	start(t, "gin", "REDIS_URL=redis://:s3cret@127.0.0.1:"+locked.port+"/3", "JWT_ALG=ES256", "JWT_KEY="+key, "REFRESH_KEY="+secret)
}
