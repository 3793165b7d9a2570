// Package rollout tests a migration. It runs the application on the old library and the
// application on jwtgate side by side, as behind a load balancer that has both.
package rollout

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

// A Migration is the two applications.
type Migration struct {
	Old     func(secret []byte) http.Handler
	NewAuth func(keys.Source) (*jwtgate.Auth, error)
	New     func(*jwtgate.Auth) http.Handler

	// Lifetime is how long the tokens of the old application are valid.
	Lifetime time.Duration

	// Subject is how /api/hello names alice.
	Subject string
}

// Run tests m. The clock is that of package synctest, because most libraries have no
// clock of their own to configure.
func (m Migration) Run(t *testing.T) {
	t.Run("short secret", func(t *testing.T) { synctest.Test(t, m.shortSecret) })
	t.Run("long secret", func(t *testing.T) { synctest.Test(t, m.longSecret) })
}

var (
	short = []byte("secret")
	long  = []byte("a secret of at least 32 bytes, from a generator")
	other = []byte("another secret of at least 32 bytes, also random")
)

// A row is a request, and the answer that is wanted.
type row struct {
	at     string
	server http.Handler
	token  string
	path   string
	status int
	body   string
}

// shortSecret tests the old secret that only verifies until the migration ends. New
// tokens have another secret.
func (m Migration) shortSecret(t *testing.T) {
	until := time.Now().Add(2 * m.Lifetime)
	older, newer := m.Old(short), m.open(t, keys.Set{keys.HS256(other), keys.InsecureHS256(short, until)})
	alice, bob := signIn(t, older, "alice"), signIn(t, older, "bob")
	fresh := signIn(t, newer, "alice")
	hello := "Welcome " + m.Subject + "!"
	rows(t, m.both(t, older, newer, alice, bob))
	rows(t, []row{
		{"new, with an old token by another secret", newer, signIn(t, m.Old([]byte("guess")), "alice"), "/api/hello", 401, ""},
		{"new, without a token", newer, "", "/api/hello", 401, ""},
		{"new, with a new token", newer, fresh, "/api/hello", 200, hello},
		{"new, with a new token for admins", newer, fresh, "/api/admin", 200, "Welcome, admin!"},
		{"new, with a new token not for admins", newer, signIn(t, newer, "bob"), "/api/admin", 403, ""},
		{"old, with a new token", older, fresh, "/api/hello", 401, ""},
	})

	time.Sleep(m.Lifetime - time.Second)
	rows(t, []row{
		{"new, a second before the old token expires", newer, alice, "/api/hello", 200, hello},
		{"new, a second before the new token expires", newer, fresh, "/api/hello", 200, hello},
	})
	time.Sleep(2 * time.Second)
	rows(t, []row{
		{"new, with an old token that has expired", newer, alice, "/api/hello", 401, ""},
		{"new, with a new token that has expired", newer, fresh, "/api/hello", 401, ""},
	})

	time.Sleep(time.Until(until) - time.Second)
	alice = signIn(t, older, "alice")
	rows(t, []row{{"new, a second before the end", newer, alice, "/api/hello", 200, hello}})
	time.Sleep(time.Second)
	rows(t, []row{
		{"old, at the end", older, alice, "/api/hello", 200, hello},
		{"new, at the end, with an old token", newer, alice, "/api/hello", 401, ""},
		{"new, at the end, with a new token", newer, signIn(t, newer, "alice"), "/api/hello", 200, hello},
	})
}

// longSecret tests a secret that is long enough to sign new tokens too. The old
// application accepts them.
func (m Migration) longSecret(t *testing.T) {
	older, newer := m.Old(long), m.open(t, keys.HS256(long))
	rows(t, m.both(t, older, newer, signIn(t, older, "alice"), signIn(t, older, "bob")))
	rows(t, m.both(t, older, newer, signIn(t, newer, "alice"), signIn(t, newer, "bob")))
}

// both returns the rows for tokens that both applications accept.
func (m Migration) both(t *testing.T, older, newer http.Handler, alice, bob string) []row {
	t.Helper()
	_, profile := Get(older, "/api/profile", alice)
	if !strings.Contains(profile, "admin") {
		t.Errorf("got the profile %q, which names no admin", profile)
	}
	var rows []row
	for _, at := range []struct {
		name   string
		server http.Handler
	}{{"old", older}, {"new", newer}} {
		rows = append(rows,
			row{at.name, at.server, alice, "/api/hello", 200, "Welcome " + m.Subject + "!"},
			row{at.name + ", with the handler of the old application", at.server, alice, "/api/profile", 200, profile},
			row{at.name, at.server, alice, "/api/admin", 200, "Welcome, admin!"},
			row{at.name, at.server, bob, "/api/admin", 403, ""},
		)
	}
	return rows
}

// open returns the application on jwtgate.
func (m Migration) open(t *testing.T, source keys.Source) http.Handler {
	t.Helper()
	auth, err := m.NewAuth(source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	return m.New(auth)
}

func rows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		status, body := Get(r.server, r.path, r.token)
		if status != r.status || r.body != "" && body != r.body {
			t.Errorf("%s: GET %s: got %d %s; want %d %s", r.at, r.path, status, body, r.status, r.body)
		}
	}
}

// signIn returns the token that server gives to the user called name.
func signIn(t *testing.T, server http.Handler, name string) string {
	t.Helper()
	form := url.Values{"username": {name}, "password": {users.Password}}
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.Token == "" {
		t.Fatalf("got %d %s for the login of %s; want 200 and a token", w.Code, w.Body, name)
	}
	return answer.Token
}

// Get returns the answer of server to a request with token, without it if it is empty.
func Get(server http.Handler, path, token string) (status int, body string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}
