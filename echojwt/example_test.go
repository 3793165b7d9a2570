package echojwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/echojwt"
)

// One line protects a group. Routes outside the group stay public, and a route
// inside it can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	e := echo.New()
	e.GET("/healthz", func(c echo.Context) error {
		return c.String(http.StatusOK, "ok")
	})

	api := e.Group("/api", echojwt.Protect(auth)) // the one line
	api.GET("/notes", func(c echo.Context) error {
		return c.String(http.StatusOK, "notes")
	})
	api.GET("/users", func(c echo.Context) error {
		return c.String(http.StatusOK, "users")
	}, echojwt.Protect(auth, jwtgate.Role("admin")))

	fmt.Println(get(e, "/healthz", ""))
	fmt.Println(get(e, "/api/notes", ""))
	fmt.Println(get(e, "/api/notes", alice))
	fmt.Println(get(e, "/api/users", alice))
	// Output:
	// 200 ok
	// 401 token_missing
	// 200 notes
	// 403 insufficient_scope
}

// Claims decodes the claims into a type of the application. With the rule
// [jwtgate.ClaimsOf], a token whose claims do not fit the type is refused before the
// handler runs.
func ExampleClaims() {
	auth, alice := signIn()

	type claims struct {
		Subject string `json:"sub"`
		Team    string `json:"team"`
	}
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		claims, err := echojwt.Claims[claims](c)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, claims.Subject+" of team "+claims.Team)
	}, echojwt.Protect(auth, jwtgate.ClaimsOf[claims]()))

	fmt.Println(get(e, "/", alice))
	// Output:
	// 200 alice of team wonderland
}

// On an optional route, a request can be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		id, ok := echojwt.Identity(c)
		if !ok {
			return c.String(http.StatusOK, "hello")
		}
		return c.String(http.StatusOK, fmt.Sprintf("hello %s, admin: %t", id.Subject(), id.HasRole("admin")))
	}, echojwt.Protect(auth, jwtgate.Optional()))

	fmt.Println(get(e, "/", ""))
	fmt.Println(get(e, "/", alice))
	// Output:
	// 200 hello
	// 200 hello alice, admin: true
}

// Endpoints such as the JWK Set are served without Protect.
func ExampleHandle() {
	auth, _ := signIn()

	e := echo.New()
	e.GET("/.well-known/jwks.json", echojwt.Handle(auth.JWKS))

	// The set has public keys only. It is empty here, because an HS256 key is secret.
	fmt.Println(get(e, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// Send writes a response of package jwtgate in a handler of the application. This
// one signs in a user who followed a link in an email, and sets the session cookies.
func ExampleSend() {
	auth, _ := signIn()

	e := echo.New()
	e.POST("/welcome", func(c echo.Context) error {
		tokens, err := auth.SignIn(c.Request().Context(), jwtgate.HTTPRequest(c.Request()), "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			_, err := echojwt.Send(c, refusal.Response())
			return err
		}
		if answered, err := echojwt.Send(c, tokens.Cookies()); answered {
			return err // the cookies could not be set, and Send has written the error
		}
		return c.Redirect(http.StatusSeeOther, "/notes")
	})

	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/welcome", nil))
	fmt.Println(w.Code, w.Header().Get("Location"), w.Header().Get("Cache-Control"))
	for _, cookie := range w.Result().Cookies() {
		fmt.Println(cookie.Name)
	}
	// Output:
	// 303 /notes no-store
	// __Host-at
	// __Host-rt
}

// signIn returns an Auth, and an access token for alice that it has issued.
func signIn(roles ...string) (auth *jwtgate.Auth, token string) {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes, for examples")),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := auth.Issue(context.Background(), jwtgate.Grant{
		Subject: "alice",
		Roles:   roles,
		Claims:  map[string]string{"team": "wonderland"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return auth, issued.Token
}

// get returns the status of a response and its body, or the code of a refusal.
func get(h http.Handler, target, token string) string {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var refusal struct{ Code string }
	if w.Code >= http.StatusBadRequest && json.Unmarshal(w.Body.Bytes(), &refusal) == nil {
		return fmt.Sprint(w.Code, " ", refusal.Code)
	}
	return fmt.Sprint(w.Code, " ", w.Body)
}
