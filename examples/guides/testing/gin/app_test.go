package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestHello calls the handler alone, with an identity in its context.
func TestHello(t *testing.T) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(jwtgatetest.Context(t, jwtgate.Grant{Subject: "bob"}), http.MethodGet, "/hello", nil)
	hello(c)
	if got := w.Body.String(); !strings.Contains(got, "hello bob") {
		t.Errorf("got %s; want a greeting", got)
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
