package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// start returns a store in which alice's password is wonderland.
func start(t *testing.T) *userStore {
	t.Helper()
	users, err := newUserStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := users.setPassword("alice", "wonderland"); err != nil {
		t.Fatal(err)
	}
	return users
}

// TestCheck checks names and passwords, and the hashes that are kept afterwards.
func TestCheck(t *testing.T) {
	users := start(t)
	old, err := bcrypt.GenerateFromPassword([]byte("builder"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := argon2id.CreateHash("hatter", &argon2id.Params{Memory: 1 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	users.hashes["bob"], users.hashes["carol"], users.hashes["broken"] = string(old), weak, "$argon2id$"
	const current = "$argon2id$v=19$m=19456,t=2,p=1$"
	for _, row := range []struct {
		name, password, want string // ok, wrong or error
		kept                 string // how the hash begins afterwards
	}{
		{"alice", "wonderland", "ok", current},
		{"alice", "Wonderland", "wrong", current},
		{"alice", "", "wrong", current},
		{"mallory", "a password that nobody has", "wrong", ""},
		{"bob", "hammer", "wrong", "$2a$04$"},
		{"bob", "builder", "ok", current},
		{"bob", "builder", "ok", current},
		{"carol", "queen", "wrong", "$argon2id$v=19$m=1024,t=1,p=1$"},
		{"carol", "hatter", "ok", current},
		{"broken", "wonderland", "error", "$argon2id$"},
	} {
		got := "wrong"
		subject, ok, err := users.check(t.Context(), row.name, row.password)
		switch {
		case err != nil:
			got = "error"
		case ok && subject == row.name:
			got = "ok"
		}
		if got != row.want || !strings.HasPrefix(users.hashes[row.name], row.kept) {
			t.Errorf("%s, %s: got %s, %v, and the hash %s; want %s and %s…", row.name, row.password, got, err, users.hashes[row.name], row.want, row.kept)
		}
	}
}

// TestUnknownName checks that a login with an unknown name takes about as long. On a busy
// machine single measurements say little, so it repeats them until the shortest ones agree.
func TestUnknownName(t *testing.T) {
	users := start(t)
	took := func(name string) time.Duration {
		begin := time.Now()
		if _, ok, err := users.check(t.Context(), name, "wrong"); ok || err != nil {
			t.Fatalf("%s: got %t, %v", name, ok, err)
		}
		return time.Since(begin)
	}
	known, unknown := time.Hour, time.Hour
	for range 50 {
		known, unknown = min(known, took("alice")), min(unknown, took("mallory"))
		if unknown > known/2 && known > unknown/2 {
			return
		}
	}
	t.Errorf("a known name takes %v, an unknown one %v", known, unknown)
}

// TestBusy checks that a login whose client has gone does not wait for a slot.
func TestBusy(t *testing.T) {
	users := start(t)
	for range cap(users.slots) {
		users.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := users.check(ctx, "alice", "wonderland"); ok || err == nil {
		t.Errorf("got %t, %v; want the error of the context", ok, err)
	}
}

// TestChangePassword changes a password on one of two devices.
func TestChangePassword(t *testing.T) {
	users := start(t)
	clock := jwtgatetest.NewClock(time.Now())
	c := config([]byte("a secret of at least 32 bytes, for tests"), users)
	c.Now = clock.Now
	auth, err := jwtgate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	laptop, phone := jwtgatetest.Cookie(t, auth, "alice"), jwtgatetest.Cookie(t, auth, "alice")
	send := func(method, path, cookie, body string) int {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		routes(auth, users).ServeHTTP(w, r)
		return w.Code
	}
	login := func(password string) string {
		return url.Values{"username": {"alice"}, "password": {password}}.Encode()
	}
	for _, row := range []struct {
		name, method, path, cookie, body string
		want                             int
	}{
		{"short", http.MethodPost, "/password", laptop, "new=looking", 400},
		{"good", http.MethodPost, "/password", laptop, "new=looking-glass", 204},
		{"this device", http.MethodGet, "/me", laptop, "", 200},
		{"the other device", http.MethodGet, "/me", phone, "", 401},
		{"the old password", http.MethodPost, "/token", "", login("wonderland"), 401},
		{"the new password", http.MethodPost, "/token", "", login("looking-glass"), 200},
	} {
		if got := send(row.method, row.path, row.cookie, row.body); got != row.want {
			t.Errorf("%s: got %d; want %d", row.name, got, row.want)
		}
	}
	clock.Advance(6 * time.Minute)
	if got := send(http.MethodPost, "/password", laptop, "new=looking-glass"); got != 401 {
		t.Errorf("six minutes after the login: got %d; want 401, login_too_old", got)
	}
}
