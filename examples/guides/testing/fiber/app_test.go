package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestHello calls the handler alone, with an identity in its context.
func TestHello(t *testing.T) {
	c := fiber.New().AcquireCtx(new(fasthttp.RequestCtx))
	c.SetUserContext(jwtgatetest.Context(t, jwtgate.Grant{Subject: "bob"}))
	if err := hello(c); err != nil || !strings.Contains(string(c.Response().Body()), "hello bob") {
		t.Errorf("got %s, %v; want a greeting", c.Response().Body(), err)
	}
}

// TestAdmin sends requests with tokens to the route, and so tests its guard.
func TestAdmin(t *testing.T) {
	auth, _, _ := jwtgatetest.NewAuth(t)
	for role, want := range map[string]int{"admin": 200, "user": 403} {
		r := httptest.NewRequest(http.MethodGet, "/admin", nil)
		r.Header.Set("Authorization", "Bearer "+jwtgatetest.Token(t, auth, "bob", role))
		res, err := routes(auth).Test(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: got %d; want %d", role, res.StatusCode, want)
		}
	}
}
