// Command forms is an application with HTML forms and no script.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	auth, err := newAuth(secret)
	if err != nil {
		log.Fatal(err)
	}
	log.Println("http://localhost:8080, user alice, password wonderland")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth))) //nolint:gosec // a guide needs no timeouts
}

func newAuth(secret []byte, change ...func(*jwtgate.Config)) (*jwtgate.Auth, error) {
	config := jwtgate.Config{
		Issuer:   "https://shop.example.com",
		Audience: "https://shop.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{Subject: users.Find, Limiter: &jwtgate.PasswordLimiter{}},
		Refuse:   toLoginPage,
	}
	for _, apply := range change {
		apply(&config)
	}
	return jwtgate.New(config)
}

func routes(auth *jwtgate.Auth) http.Handler {
	anyone := nethttp.Protect(auth, jwtgate.Optional())
	signedIn := nethttp.Protect(auth)
	app := &application{placed: map[string][]string{}}

	mux := http.NewServeMux()
	mux.Handle("GET /{$}", anyone(http.HandlerFunc(app.home)))
	mux.Handle("GET /login", anyone(http.HandlerFunc(app.loginPage)))
	mux.Handle("POST /login", nethttp.Handle(login(auth)))
	mux.Handle("POST /logout", nethttp.Handle(thenShow("/login?signed-out", auth.Logout)))
	mux.Handle("GET /orders", signedIn(http.HandlerFunc(app.orders)))
	mux.Handle("POST /orders", signedIn(http.HandlerFunc(app.addOrder)))
	return mux
}

// toLoginPage sends visitors who load a page without a valid session to the login page,
// and back to that page after the login.
func toLoginPage(_ context.Context, req jwtgate.Request, r *jwtgate.Refusal) jwtgate.Response {
	res := r.Response()
	if r.Status != http.StatusUnauthorized || req.Method != http.MethodGet {
		return res
	}
	return seeOther(res, loginPath(req.Path, req.Query))
}
