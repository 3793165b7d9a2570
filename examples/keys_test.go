package examples

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/keys"
)

// A keyFolder is the path of a folder with Ed25519 keys, for JWT_KEY. The files
// have numbers as names.
type keyFolder string

func (f keyFolder) path(n int) string { return filepath.Join(string(f), fmt.Sprintf("%04d.pem", n)) }

// add adds a new key to f as number n and returns its kid. It renames a complete
// file, so that no server reads a part of the key.
func (f keyFolder) add(t *testing.T, n int) string {
	t.Helper()
	key := newEd25519(t)
	hidden := write(t, filepath.Join(string(f), ".new.pem"), pkcs8(t, key))
	if err := os.Rename(hidden, f.path(n)); err != nil {
		t.Fatal(err)
	}
	return keys.EdDSA(key).ID()
}

func (f keyFolder) remove(t *testing.T, n int) {
	t.Helper()
	if err := os.Remove(f.path(n)); err != nil {
		t.Fatal(err)
	}
}

// reload makes servers read their keys again, and waits until published is true
// for the key set of each server.
func reload(t *testing.T, servers []*process, published func(jwks string) bool) {
	t.Helper()
	for _, p := range servers {
		p.hangUp(t)
	}
	for _, p := range servers {
		eventually(t, p.name+" publishes the new keys", func() bool {
			return published(p.send(t, "GET", "/.well-known/jwks.json", "").body)
		})
	}
}

func (p *process) hangUp(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until done returns true. what describes this condition.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not true after %v: %s", patience, what)
		}
	}
}

// A user repeatedly refreshes, and then sends requests with the newest access token
// and the one before.
type user struct {
	process *process
	cookies bool
	refresh string // a token, or a cookie
	last    string // the header field with the access token of the last round
	rounds  atomic.Int64
}

// round refreshes and sends requests.
func (u *user) round() error {
	body, fields := "refresh_token="+u.refresh, []string{asForm}
	if u.cookies {
		body, fields = "", []string{"Cookie: " + u.refresh}
	}
	got, err := u.process.try("POST", "/refresh", body, fields...)
	if err != nil || got.status != http.StatusOK {
		return fmt.Errorf("refresh: %s: %w", got.text(), err)
	}
	access := ""
	if set := got.header["Set-Cookie"]; u.cookies && len(set) == 2 {
		access, _, _ = strings.Cut(set[0], ";")
		u.refresh, _, _ = strings.Cut(set[1], ";")
		access = "Cookie: " + access
	} else {
		var next tokenAnswer
		if err := json.Unmarshal([]byte(got.body), &next); err != nil {
			return fmt.Errorf("refresh: %s: %w", got.text(), err)
		}
		u.refresh, access = next.RefreshToken, bearer(next.AccessToken)
	}
	for _, field := range []string{u.last, access} {
		if field == "" { // in the first round
			continue
		}
		if got, err := u.process.try("GET", "/me", "", field); err != nil || got.status != http.StatusOK {
			return fmt.Errorf("GET /me: %s: %w", got.text(), err)
		}
	}
	u.last = access
	u.rounds.Add(1)
	return nil
}

// TestKeysRotate changes the signing key ten times under load, and checks that no
// request is refused. Then it removes the first key.
func TestKeysRotate(t *testing.T) {
	folder := keyFolder(t.TempDir())
	first := folder.add(t, 0)
	servers := startAll(t, "JWT_ALG=EdDSA", "JWT_KEY="+string(folder), "REUSE_WINDOW=1m")

	var users []*user
	var old []tokenAnswer // tokens signed with the first key
	var idle []string     // cookies signed with the first key
	for _, p := range servers {
		program := tokens(t, p, "/token", alice, asForm)
		_, cookie := browser(t, p, alice)
		access, refresh := browser(t, p, bob)
		old, idle = append(old, program), append(idle, "Cookie: "+access+"; "+refresh)
		users = append(users, &user{process: p, refresh: program.RefreshToken}, &user{process: p, cookies: true, refresh: cookie})
	}

	var running sync.WaitGroup
	over := make(chan struct{})
	stop := sync.OnceFunc(func() { close(over); running.Wait() })
	defer stop()
	for _, u := range users {
		running.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if err := u.round(); err != nil {
					t.Errorf("%s, cookies %v: %v", u.process.name, u.cookies, err)
					return
				}
			}
		})
	}
	for n := 1; n <= 10; n++ {
		kid := folder.add(t, n)
		reload(t, servers, func(jwks string) bool { return strings.Contains(jwks, kid) })
		for _, u := range users {
			rounds := u.rounds.Load()
			eventually(t, "every user has completed another round", func() bool { return t.Failed() || u.rounds.Load() > rounds })
		}
	}
	stop()

	folder.remove(t, 0)
	for i, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(old[i].AccessToken)) // until it reads the keys again
	}
	reload(t, servers, func(jwks string) bool { return !strings.Contains(jwks, first) })
	for i, p := range servers {
		p.want(t, 401, `"code":"token_invalid"`, "GET", "/me", "", bearer(old[i].AccessToken))
		access, _ := setCookies(t, p, p.want(t, 200, `"sub":"bob"`, "GET", "/me", "", idle[i]))
		p.want(t, 200, `"sub":"bob"`, "GET", "/me", "", "Cookie: "+access)
		if got := strings.Count(p.log.String(), "JWT_KEY was read again"); got != 11 || strings.Count(p.log.String(), "\n") != 11 {
			t.Errorf("%s: got %d lines in the log; want 11, one for each reload of the keys:\n%s", p.name, got, &p.log)
		}
	}
}

// TestKeysStay checks that a reload with unusable keys changes nothing and is
// logged.
func TestKeysStay(t *testing.T) {
	folder := keyFolder(t.TempDir())
	kid := folder.add(t, 0)
	servers := startAll(t, "JWT_ALG=EdDSA", "JWT_KEY="+string(folder))
	tokens := map[*process]string{}
	for _, p := range servers {
		tokens[p] = login(t, p, alice)
	}
	for i, change := range []struct {
		name, want string
		do         func()
	}{
		{"half a file", "cut short", func() {
			whole, err := os.ReadFile(folder.path(0))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(folder.path(1), whole[:len(whole)/2], 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a public key as the signing key", "use the private key", func() { write(t, folder.path(1), public(t, newEd25519(t))) }},
		{"a key of another kind", "EdDSA needs an Ed25519 key", func() { write(t, folder.path(1), pkcs8(t, newRSA(t, 2048))) }},
		{"an empty folder", "no files in it", func() { folder.remove(t, 0); folder.remove(t, 1) }},
		{"no folder", "no such file or directory", func() {
			if err := os.Remove(string(folder)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		change.do()
		for _, p := range servers {
			p.hangUp(t)
			eventually(t, p.name+" has logged the reload", func() bool { return strings.Count(p.log.String(), "\n") > i })
			lines := strings.Split(p.log.String(), "\n")
			if last := lines[len(lines)-2]; len(lines) != i+2 || !strings.Contains(last, "the keys stay as they are") || !strings.Contains(last, change.want) || strings.Contains(last, string(folder)) {
				t.Errorf("%s: %s: got the log\n%s", p.name, change.name, &p.log)
			}
			p.want(t, 200, kid, "GET", "/.well-known/jwks.json", "")
			p.want(t, 200, "", "GET", "/me", "", bearer(tokens[p]))
		}
	}
	for _, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(login(t, p, alice))) // the first key still signs
	}
}

// TestKeyFile checks that a single key file is also read again.
func TestKeyFile(t *testing.T) {
	folder := keyFolder(t.TempDir())
	folder.add(t, 0)
	p := start(t, "nethttp", "JWT_ALG=EdDSA", "JWT_KEY="+folder.path(0))
	token := login(t, p, alice)
	kid := folder.add(t, 0)
	reload(t, []*process{p}, func(jwks string) bool { return strings.Contains(jwks, kid) })
	p.want(t, 401, `"code":"token_invalid"`, "GET", "/me", "", bearer(token))
	p.want(t, 200, "", "GET", "/me", "", bearer(login(t, p, alice)))
}
