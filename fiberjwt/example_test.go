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

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

// One line protects a prefix. Routes with another prefix, and routes that are
// registered before that line, stay public. A route inside can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	app := fiber.New()
	app.Get("/healthz", func(c *fiber.Ctx) error {
		return c.SendString("ok")
	})

	app.Use("/api", fiberjwt.Protect(auth)) // the one line
	app.Get("/api/notes", func(c *fiber.Ctx) error {
		return c.SendString("notes")
	})
	app.Get("/api/users", fiberjwt.Protect(auth, jwtgate.Role("admin")), func(c *fiber.Ctx) error {
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

// Claims decodes the claims into a type of the application. With the rule
// [jwtgate.ClaimsOf], a token whose claims do not fit the type is refused before the
// handler runs.
func ExampleClaims() {
	auth, alice := signIn()

	type claims struct {
		Subject string `json:"sub"`
		Team    string `json:"team"`
	}
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth, jwtgate.ClaimsOf[claims]()), func(c *fiber.Ctx) error {
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

// On an optional route, a request can be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth, jwtgate.Optional()), func(c *fiber.Ctx) error {
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

// Endpoints such as the JWK Set are served without Protect.
func ExampleHandle() {
	auth, _ := signIn()

	app := fiber.New()
	app.Get("/.well-known/jwks.json", fiberjwt.Handle(auth.JWKS))

	// The set has public keys only. It is empty here, because an HS256 key is secret.
	fmt.Println(get(app, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// Send writes a response of package jwtgate in a handler of the application. This
// one signs in a user who followed a link in an email, and sets the session cookies.
func ExampleSend() {
	auth, _ := signIn()

	app := fiber.New()
	app.Post("/welcome", func(c *fiber.Ctx) error {
		req := jwtgate.Request{Header: http.Header(c.GetReqHeaders())}
		tokens, err := auth.SignIn(c.UserContext(), req, "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			_, err := fiberjwt.Send(c, refusal.Response())
			return err
		}
		if answered, err := fiberjwt.Send(c, tokens.Cookies()); answered {
			return err // the cookies could not be set, and Send has written the error
		}
		return c.Redirect("/notes", fiber.StatusSeeOther)
	})

	res, err := app.Test(httptest.NewRequest(http.MethodPost, "/welcome", nil), -1)
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
func get(app *fiber.App, target, token string) string {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := app.Test(r, -1)
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
