package fiberjwt_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// An entry is what the access log says about a request, besides what it knows itself.
type entry struct {
	user string
	code jwtgate.Code // of the refusal
}

type entryKey struct{}

// fill fills in the entry in the context of a request. It is the Outcome of an observer.
func fill(ctx context.Context, o jwtgate.Outcome) {
	if e, ok := ctx.Value(entryKey{}).(*entry); ok {
		e.code = o.Code
		if o.Identity != nil {
			e.user = o.Identity.Subject()
		}
	}
}

// accessLog logs each request with its user and, if it is refused, the code.
func accessLog(c fiber.Ctx) error {
	e := &entry{}
	c.SetContext(context.WithValue(c.Context(), entryKey{}, e))
	err := c.Next()
	fmt.Printf("%s %s by %q %q\n", c.Method(), c.Path(), e.user, e.code)
	return err
}

// Middleware outside of Protect, such as an access log, does not see the context with the
// identity. It puts an entry into the context of the request, which an observer fills in.
func Example_accessLog() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:    "https://auth.example.com",
		Audience:  "https://api.example.com",
		Keys:      keys.HS256([]byte("a secret of at least 32 bytes that only this server knows")),
		Observers: []jwtgate.Observer{{Outcome: fill}},
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := auth.Issue(context.Background(), jwtgate.Grant{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	app := fiber.New()
	app.Use(accessLog)
	app.Get("/notes", fiberjwt.Protect(auth), func(c fiber.Ctx) error { return c.SendString("notes") })
	app.Get("/users", fiberjwt.Protect(auth, jwtgate.Role("admin")), func(c fiber.Ctx) error { return c.SendString("users") })

	for _, path := range []string{"/notes", "/users"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+token.Token)
		res, err := app.Test(r)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close()
	}
	// Output:
	// GET /notes by "alice" ""
	// GET /users by "alice" "insufficient_scope"
}
