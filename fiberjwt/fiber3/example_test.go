package fiberjwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// One line guards a prefix. Routes that are registered before it or have another
// prefix stay open, and a route with the prefix can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	app := fiber.New()
	app.Get("/healthz", func(c fiber.Ctx) error {
		return c.SendString("ok")
	})

	app.Use("/api", fiberjwt.Protect(auth)) // this line
	app.Get("/api/notes", func(c fiber.Ctx) error {
		return c.SendString("notes")
	})
	app.Get("/api/users", fiberjwt.Protect(auth, jwtgate.Role("admin")), func(c fiber.Ctx) error {
		return c.SendString("users")
	})

	fmt.Println(get(app, "/healthz", ""))
	fmt.Println(get(app, "/api/notes", ""))
	fmt.Println(get(app, "/api/notes", alice))
	fmt.Println(get(app, "/api/users", alice))
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
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth, jwtgate.ClaimsOf[claims]()), func(c fiber.Ctx) error {
		claims, err := fiberjwt.Claims[claims](c)
		if err != nil {
			return err
		}
		return c.SendString(claims.Subject + " of team " + claims.Team)
	})

	fmt.Println(get(app, "/", alice))
	// Output:
	// 200 alice of team wonderland
}

// On an optional route, a request may be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth, jwtgate.Optional()), func(c fiber.Ctx) error {
		id, ok := fiberjwt.Identity(c)
		if !ok {
			return c.SendString("hello")
		}
		return c.SendString(fmt.Sprintf("hello %s, admin: %t", id.Subject(), id.HasRole("admin")))
	})

	fmt.Println(get(app, "/", ""))
	fmt.Println(get(app, "/", alice))
	// Output:
	// 200 hello
	// 200 hello alice, admin: true
}

// Endpoints are mounted outside of the routes that Protect guards.
func ExampleHandle() {
	auth, _ := signIn()

	app := fiber.New()
	app.Get("/.well-known/jwks.json", fiberjwt.Handle(auth.JWKS))

	// Secrets are not published, so the set is empty with HS256.
	fmt.Println(get(app, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// A handler of the application can send a response of core, such as the cookies of
// a user who has signed in with a link in an email.
func ExampleSend() {
	auth, _ := signIn()

	app := fiber.New()
	app.Post("/welcome", func(c fiber.Ctx) error {
		req := jwtgate.Request{Header: http.Header(c.GetReqHeaders())}
		tokens, err := auth.SignIn(c.Context(), req, "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			_, err := fiberjwt.Send(c, refusal.Response())
			return err
		}
		if answered, err := fiberjwt.Send(c, tokens.Cookies()); answered {
			return err // the cookies cannot be set, and the answer says so
		}
		return c.Redirect().To("/notes")
	})

	res, err := app.Test(httptest.NewRequest(http.MethodPost, "/welcome", nil), fiber.TestConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	fmt.Println(res.StatusCode, res.Header.Get("Location"), res.Header.Get("Cache-Control"))
	for _, cookie := range res.Cookies() {
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
func get(app *fiber.App, target, token string) string {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := app.Test(r, fiber.TestConfig{})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	var refusal struct{ Code string }
	if res.StatusCode >= http.StatusBadRequest && json.Unmarshal(body, &refusal) == nil {
		return fmt.Sprint(res.StatusCode, " ", refusal.Code)
	}
	return fmt.Sprint(res.StatusCode, " ", string(body))
}
