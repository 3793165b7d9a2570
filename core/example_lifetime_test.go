package jwtgate_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A login form has the box "remember me". Without it, the browser is signed out when it is
// closed, and after an hour without a request.
func ExampleLifetime() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{Subject: loadUser},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	remember := func(_ context.Context, _ string, parameter func(string) string) jwtgate.Lifetime {
		if parameter("remember") == "" {
			return jwtgate.Lifetime{RefreshTTL: time.Hour, Transient: true}
		}
		return jwtgate.Lifetime{RefreshTTL: 90 * 24 * time.Hour, SessionTTL: 365 * 24 * time.Hour}
	}
	login := handle(auth.Login(checkPassword, remember))

	for _, form := range []url.Values{
		{"username": {"alice"}, "password": {"wonderland"}},
		{"username": {"alice"}, "password": {"wonderland"}, "remember": {"on"}},
	} {
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		login(w, r)
		for _, cookie := range w.Result().Cookies() {
			fmt.Println(cookie.Name, time.Duration(cookie.MaxAge)*time.Second)
		}
	}
	// Output:
	// __Host-at 0s
	// __Host-rt 0s
	// __Host-at 2160h0m0s
	// __Host-rt 2160h0m0s
}
