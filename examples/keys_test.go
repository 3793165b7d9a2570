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

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A keyFolder is a JWT_KEY with files of Ed25519 keys, named by number.
type keyFolder string

func (f keyFolder) path(n int) string { return filepath.Join(string(f), fmt.Sprintf("%04d.pem", n)) }

// add puts a fresh key into f, as the last, and returns its kid. No server ever
// finds the file half written.
func (f keyFolder) add(t *testing.T, n int) string {
	t.Helper()
	key := newEd25519(t)
	hidden := write(t, filepath.Join(string(f), ".new.pem"), pkcs8(t, key))
	if err := os.Rename(hidden, f.path(n)); err != nil {
		t.Fatal(err)
	}
	return jwtgate.EdDSA(key).ID()
}

func (f keyFolder) remove(t *testing.T, n int) {
	t.Helper()
	if err := os.Remove(f.path(n)); err != nil {
		t.Fatal(err)
	}
}

// reload has servers read their keys again, and waits until each has those that
// it is to publish.
func reload(t *testing.T, servers []*process, published func(jwks string) bool) {
	t.Helper()
	for _, p := range servers {
		p.hangUp(t)
	}
	for _, p := range servers {
		eventually(t, p.name+" publishes other keys", func() bool {
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

// eventually waits until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// A user is one who refreshes and asks, again and again, with the newest access
// token and the one before.
type user struct {
	process *process
	cookies bool
	refresh string // a token, or a cookie
	last    string // the field with the access token of the last round
	rounds  atomic.Int64
}

// round refreshes and asks.
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
		if field == "" { // the first time
			continue
		}
		if got, err := u.process.try("GET", "/me", "", field); err != nil || got.status != http.StatusOK {
			return fmt.Errorf("ask: %s: %w", got.text(), err)
		}
	}
	u.last = access
	u.rounds.Add(1)
	return nil
}

// TestKeysRotate changes the signing key ten times, under load, and nobody is
// refused. Then a key is taken away.
func TestKeysRotate(t *testing.T) {
	folder := keyFolder(t.TempDir())
	first := folder.add(t, 0)
	servers := startAll(t, "JWT_ALG=EdDSA", "JWT_KEY="+string(folder), "REUSE_WINDOW=1m")

	var users []*user
	var old []tokenAnswer // by the first key
	var idle []string     // cookies by the first key
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
			eventually(t, "everyone has asked anew", func() bool { return t.Failed() || u.rounds.Load() > rounds })
		}
	}
	stop()

	folder.remove(t, 0)
	for i, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(old[i].AccessToken)) // until it is told
	}
	reload(t, servers, func(jwks string) bool { return !strings.Contains(jwks, first) })
	for i, p := range servers {
		p.want(t, 401, `"code":"token_invalid"`, "GET", "/me", "", bearer(old[i].AccessToken))
		access, _ := setCookies(t, p, p.want(t, 200, `"sub":"bob"`, "GET", "/me", "", idle[i]))
		p.want(t, 200, `"sub":"bob"`, "GET", "/me", "", "Cookie: "+access)
		if got := strings.Count(p.log.String(), "JWT_KEY was read again"); got != 11 || strings.Count(p.log.String(), "\n") != 11 {
			t.Errorf("%s: got %d lines; want one for each time the keys were read:\n%s", p.name, got, &p.log)
		}
	}
}

// TestKeysStay wants keys that cannot be to change nothing, and to be told of.
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
		{"half a file", "not a PEM file", func() {
			whole, err := os.ReadFile(folder.path(0))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(folder.path(1), whole[:len(whole)/2], 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a public key to sign by", "use the private key", func() { write(t, folder.path(1), public(t, newEd25519(t))) }},
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
			eventually(t, "the log has a line", func() bool { return strings.Count(p.log.String(), "\n") > i })
			lines := strings.Split(p.log.String(), "\n")
			if last := lines[len(lines)-2]; len(lines) != i+2 || !strings.Contains(last, "the keys stay as they are") || !strings.Contains(last, change.want) || strings.Contains(last, string(folder)) {
				t.Errorf("%s: %s: got the log\n%s", p.name, change.name, &p.log)
			}
			p.want(t, 200, kid, "GET", "/.well-known/jwks.json", "")
			p.want(t, 200, "", "GET", "/me", "", bearer(tokens[p]))
		}
	}
	for _, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(login(t, p, alice))) // it still signs
	}
}

// TestKeyFile wants a single file to be read again, too.
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
