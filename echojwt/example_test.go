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

// One line guards a group. What is beside it stays open, and a route within may
// ask for more.
func ExampleProtect() {
	auth, alice := signIn("user")

	e := echo.New()
	e.GET("/healthz", func(c echo.Context) error {
		return c.String(http.StatusOK, "ok")
	})

	api := e.Group("/api", echojwt.Protect(auth)) // this one
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

// The claims are decoded into a type of your own. With [jwtgate.ClaimsOf], tokens
// that do not fit it are refused before the handler runs.
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

// On an optional route, a visitor may be nobody.
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

// Endpoints are mounted beside what Protect guards.
func ExampleHandle() {
	auth, _ := signIn()

	e := echo.New()
	e.GET("/.well-known/jwks.json", echojwt.Handle(auth.JWKS))

	// A secret is never published: with HS256, the set is empty.
	fmt.Println(get(e, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// A handler of your own can send what core returns, such as the cookies of
// someone who has signed in by a link in a mail.
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
			return err // they cannot be set, and that is answered
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

// signIn returns an Auth and a token by it, of alice's.
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

// get returns the status and the body of an answer, or the code of a refusal.
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
