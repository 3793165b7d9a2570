package examples

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kill kills the process, as a crash does, and waits for its end.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err == nil {
		t.Error("the process ended before it was killed")
	}
	p.ended <- nil // for stop
}

// TestSignedInAfterKill kills and restarts a server with an SQLite database while
// browsers and programs renew their sessions. All of them must stay signed in: each
// request succeeds, fails with the connection, or is answered 503 with Retry-After,
// and is then repeated.
func TestSignedInAfterKill(t *testing.T) {
	const clients, kills = 8, 3
	for _, name := range []string{"nethttp", "fiber"} {
		t.Run(name, func(t *testing.T) {
			env := []string{"JWT_KEY=" + secret, "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "sessions of all.db"), "REUSE_WINDOW=1s"}
			var server atomic.Pointer[process]
			server.Store(start(t, name, env...))
			ended := tokens(t, server.Load(), "/token", bob, asForm)
			server.Load().want(t, 204, "", "POST", "/logout", "refresh_token="+ended.RefreshToken, asForm)

			var over atomic.Bool
			var good, lost atomic.Int64
			var wg sync.WaitGroup
			// renew repeats a request for as long as the test lasts, and once more.
			renew := func(try func(p *process) (answer, error), next func(answer)) {
				for last := false; !last || over.Load(); {
					last = over.Load()
					got, err := try(server.Load())
					switch {
					case err != nil:
						lost.Add(1)
						last = false
					case got.status == 200:
						good.Add(1)
						next(got)
						if last {
							return
						}
					case got.status == 503 && got.header.Get("Retry-After") != "" && got.header["Set-Cookie"] == nil:
						last = false // a client whose answers were lost twice waits for two windows
					default:
						t.Errorf("%s: %s", name, got.text())
						return
					}
					time.Sleep(5 * time.Millisecond) // so that there are no more refusals than answers
				}
			}
			for range clients {
				refresh := tokens(t, server.Load(), "/token", alice, asForm).RefreshToken
				wg.Go(func() {
					renew(func(p *process) (answer, error) { return p.try("POST", "/refresh", "refresh_token="+refresh, asForm) }, func(got answer) {
						var tokens tokenAnswer
						_ = json.Unmarshal([]byte(got.body), &tokens)
						refresh = tokens.RefreshToken
					})
				})
				_, cookie := browser(t, server.Load(), alice)
				wg.Go(func() {
					renew(func(p *process) (answer, error) { return p.try("GET", "/me", "", "Cookie: "+cookie) }, func(got answer) {
						for _, set := range got.header["Set-Cookie"] {
							if strings.HasPrefix(set, "__Host-rt=") {
								cookie, _, _ = strings.Cut(set, ";")
							}
						}
					})
				})
			}
			for range kills {
				progress := good.Load() + 5*clients
				for begin := time.Now(); good.Load() < progress; time.Sleep(10 * time.Millisecond) {
					if time.Since(begin) > patience {
						t.Fatal("the clients get no answers")
					}
				}
				server.Load().kill(t)
				server.Store(start(t, name, env...))
			}
			over.Store(true)
			wg.Wait()
			t.Logf("%d renewals, %d connections lost", good.Load(), lost.Load())
			if lost.Load() == 0 {
				t.Error("no connection was lost; want some")
			}
			p := server.Load()
			p.want(t, 401, `"code":"refresh_revoked"`, "POST", "/refresh", "refresh_token="+ended.RefreshToken, asForm)
			p.refuses(t, bearer(ended.AccessToken))
		})
	}
}

// TestServersShareDatabase checks that servers with the same database share sessions,
// and that the end of a session takes effect on the others within a second.
func TestServersShareDatabase(t *testing.T) {
	for _, row := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db") }},
		{"postgres", startPostgres},
		{"mariadb", startMariaDB},
	} {
		t.Run(row.name, func(t *testing.T) {
			servers := startAll(t, "JWT_KEY="+secret, "DATABASE_URL="+row.url(t))
			for i, a := range servers {
				b := servers[(i+1)%len(servers)]
				first := tokens(t, a, "/token", alice, asForm)
				second := tokens(t, b, "/refresh", "refresh_token="+first.RefreshToken, asForm)
				b.want(t, 200, `"current":true`, "GET", "/sessions", "", bearer(second.AccessToken))
				access, refresh := browser(t, b, bob)
				a.want(t, 200, `"sub":"bob"`, "GET", "/me", "", "Cookie: "+access+"; "+refresh)

				a.want(t, 204, "", "POST", "/logout", "refresh_token="+second.RefreshToken, asForm)
				b.want(t, 204, "", "POST", "/logout/all", "", "Cookie: "+access+"; "+refresh)
				took := max(b.refuses(t, bearer(first.AccessToken)), a.refuses(t, "Cookie: "+access))
				t.Logf("%s, %s: refused after %v", a.name, b.name, took)
				b.want(t, 401, `"code":"refresh_revoked"`, "POST", "/refresh", "refresh_token="+second.RefreshToken, asForm)
				a.want(t, 200, `"sub":"bob"`, "GET", "/me", "", bearer(login(t, b, bob)))
			}
		})
	}
}
