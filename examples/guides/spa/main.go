// Command spa is the API of a single-page application, and the page itself.
package main

import (
	"crypto/rand"
	"embed"
	"io/fs"
	"log"
	"net/http"
	"os"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

//go:embed web/index.html web/app.js
var files embed.FS

// A setup says where the page is.
type setup struct {
	PageOrigin   string // of the page, such as https://app.example.com; empty if it is that of the API
	CookieDomain string // such as example.com, if another server needs the cookies, too
}

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	s := setup{PageOrigin: os.Getenv("PAGE_ORIGIN"), CookieDomain: os.Getenv("COOKIE_DOMAIN")}
	auth, err := jwtgate.New(s.config(secret))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("http://localhost:8080, user alice, password wonderland")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", s.routes(auth))) //nolint:gosec // a guide needs no timeouts
}

func (s setup) config(secret []byte) jwtgate.Config {
	config := jwtgate.Config{
		Issuer:   "https://api.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{Domain: s.CookieDomain},
		Sessions: &jwtgate.SessionConfig{Subject: users.Find, Limiter: &jwtgate.PasswordLimiter{}},
	}
	if s.PageOrigin != "" {
		config.Cookies.TrustedOrigins = []string{s.PageOrigin}
	}
	return config
}

func (s setup) routes(auth *jwtgate.Auth) http.Handler {
	signedIn := nethttp.Protect(auth)
	mux := http.NewServeMux()
	mux.Handle("POST /api/login", nethttp.Handle(auth.Login(users.Check)))
	mux.Handle("POST /api/logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /api/me", signedIn(http.HandlerFunc(me)))
	mux.Handle("POST /api/visits", signedIn(http.HandlerFunc(visit)))
	if s.PageOrigin == "" {
		mux.Handle("GET /", page())
		return mux
	}
	return allowOrigin(s.PageOrigin, mux)
}

// page serves the page, as its own server would.
func page() http.Handler {
	web, err := fs.Sub(files, "web")
	if err != nil {
		log.Fatal(err) // never: the folder is embedded
	}
	return http.FileServerFS(web)
}
