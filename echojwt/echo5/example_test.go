package echojwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
)

// One line guards a group. Routes outside of the group stay open, and a route in the
// group can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	e := echo.New()
	e.GET("/healthz", func(c *echo.Context) error {
		return c.String(http.StatusOK, "ok")
	})

	api := e.Group("/api", echojwt.Protect(auth)) // this line
	api.GET("/notes", func(c *echo.Context) error {
		return c.String(http.StatusOK, "notes")
	})
	api.GET("/users", func(c *echo.Context) error {
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

// Claims decodes the claims into a type of the application. With [jwtgate.ClaimsOf],
// a token whose claims do not fit the type is refused before the handler runs.
func ExampleClaims() {
	auth, alice := signIn()

	type claims struct {
		Subject string `json:"sub"`
		Team    string `json:"team"`
	}
	e := echo.New()
	e.GET("/", func(c *echo.Context) error {
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

// On an optional route, a request may be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	e := echo.New()
	e.GET("/", func(c *echo.Context) error {
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

// Endpoints are mounted outside of the routes that Protect guards.
func ExampleHandle() {
	auth, _ := signIn()

	e := echo.New()
	e.GET("/.well-known/jwks.json", echojwt.Handle(auth.JWKS))

	// Secrets are not published, so the set is empty with HS256.
	fmt.Println(get(e, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// A handler of the application can send a response of core, such as the cookies of
// a user who has signed in with a link in an email.
func ExampleSend() {
	auth, _ := signIn()

	e := echo.New()
	e.POST("/welcome", func(c *echo.Context) error {
		tokens, err := auth.SignIn(c.Request().Context(), jwtgate.HTTPRequest(c.Request()), "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			_, err := echojwt.Send(c, refusal.Response())
			return err
		}
		if answered, err := echojwt.Send(c, tokens.Cookies()); answered {
			return err // the cookies cannot be set, and the answer says so
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

// signIn returns an Auth and an access token of alice.
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
