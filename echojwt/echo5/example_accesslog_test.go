package echojwt_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
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
func accessLog(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		e, r := &entry{}, c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
		err := next(c)
		fmt.Printf("%s %s by %q %q\n", r.Method, r.URL.Path, e.user, e.code)
		return err
	}
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
	app := echo.New()
	app.Use(accessLog)
	app.GET("/notes", func(c *echo.Context) error { return c.String(http.StatusOK, "notes") }, echojwt.Protect(auth))
	app.GET("/users", func(c *echo.Context) error { return c.String(http.StatusOK, "users") }, echojwt.Protect(auth, jwtgate.Role("admin")))

	for _, path := range []string{"/notes", "/users"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+token.Token)
		app.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// GET /notes by "alice" ""
	// GET /users by "alice" "insufficient_scope"
}
