package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestHello calls the handler alone, with an identity in its context.
func TestHello(t *testing.T) {
	r := httptest.NewRequestWithContext(jwtgatetest.Context(t, jwtgate.Grant{Subject: "bob"}), http.MethodGet, "/hello", nil)
	w := httptest.NewRecorder()
	if err := hello(echo.New().NewContext(r, w)); err != nil || !strings.Contains(w.Body.String(), "hello bob") {
		t.Errorf("got %s, %v; want a greeting", w.Body, err)
	}
}

// TestAdmin sends requests with tokens to the route, and so tests its guard.
func TestAdmin(t *testing.T) {
	auth, _, _ := jwtgatetest.NewAuth(t)
	for role, want := range map[string]int{"admin": 200, "user": 403} {
		r := httptest.NewRequest(http.MethodGet, "/admin", nil)
		r.Header.Set("Authorization", "Bearer "+jwtgatetest.Token(t, auth, "bob", role))
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d; want %d", role, w.Code, want)
		}
	}
}
