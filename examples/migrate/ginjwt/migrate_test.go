package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	jwt "github.com/appleboy/gin-jwt/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

func TestREADME(t *testing.T) {
	readme.Check(t, readme.Fields[jwt.GinJWTMiddleware]()...)
}

func TestMigration(t *testing.T) {
	rollout.Migration{
		Old:      func(secret []byte) http.Handler { return must(Old(secret)) },
		NewAuth:  NewAuth,
		New:      func(auth *jwtgate.Auth) http.Handler { return New(auth) },
		Lifetime: timeout,
		Subject:  "alice",
	}.Run(t)
}

// TestSession checks that the new application renews and ends sessions.
func TestSession(t *testing.T) {
	auth := must(NewAuth(keys.HS256([]byte("a secret of at least 32 bytes, from a generator"))))
	t.Cleanup(auth.Close)
	server := New(auth)
	login := post(t, server, "/login", "", url.Values{"username": {"alice"}, "password": {users.Password}})
	renewed := post(t, server, "/refresh", "", url.Values{"refresh_token": {login["refresh_token"].(string)}})
	token := renewed["access_token"].(string)
	if got, _ := rollout.Get(server, "/api/admin", token); got != http.StatusOK {
		t.Errorf("got %d after the refresh; want 200", got)
	}
	post(t, server, "/logout", token, nil)
	if got, _ := rollout.Get(server, "/api/admin", token); got != http.StatusUnauthorized {
		t.Errorf("got %d after the logout; want 401", got)
	}
}

// post returns the JSON in the answer of server, nil if it has no body.
func post(t *testing.T, server http.Handler, path, token string, form url.Values) map[string]any {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		t.Fatalf("got %d %s from %s; want a success", w.Code, w.Body, path)
	}
	var answer map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
