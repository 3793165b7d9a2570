package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gofiber/fiber/v3"
	"golang.org/x/oauth2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// TestFiber signs a user in by routes of Fiber, which has no *http.Request.
func TestFiber(t *testing.T) {
	token := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"a","token_type":"bearer"}`))
	}))
	t.Cleanup(token.Close)
	auth, err := jwtgate.New(config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	s := signIn{auth, &provider{
		oauth:   oauth2.Config{Endpoint: oauth2.Endpoint{AuthURL: "https://provider.example.com/auth", TokenURL: token.URL}},
		subject: func(context.Context, *oauth2.Token, string) (string, error) { return "alice", nil },
	}}
	app := fiber.New()
	app.Get("/login/oidc", fiberjwt.Handle(s.begin))
	app.Get("/callback/oidc", fiberjwt.Handle(s.finish))
	send := func(path string, cookies ...*http.Cookie) (status int, location string, set []*http.Cookie) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		res, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header.Get("Location"), res.Cookies()
	}
	_, location, cookies := send("/login/oidc")
	to, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	callback := "/callback/oidc?code=c&state=" + to.Query().Get("state")
	if status, location, set := send(callback, cookies...); status != 303 || location != "/" || len(set) != 3 {
		t.Errorf("got %d to %q with %d cookies; want 303 to / with those of the session and without the attempt", status, location, len(set))
	}
	if status, _, set := send(callback); status != 400 || len(set) != 1 {
		t.Errorf("another browser: got %d with %d cookies; want 400", status, len(set))
	}
}
