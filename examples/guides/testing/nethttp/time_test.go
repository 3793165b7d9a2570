package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestTime lets time pass between the sign-in and the request.
func TestTime(t *testing.T) {
	clock := jwtgatetest.NewClock(time.Now())
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Now = clock.Now })
	token, cookie := jwtgatetest.Token(t, auth, "bob"), jwtgatetest.Cookie(t, auth, "bob")
	clock.Advance(time.Hour)
	for _, row := range []struct {
		field, value string
		status       int
		renewed      bool
	}{
		{"Authorization", "Bearer " + token, 401, false},
		{"Cookie", cookie, 200, true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/hello", nil)
		r.Header.Set(row.field, row.value)
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		if renewed := len(w.Result().Cookies()) == 2; w.Code != row.status || renewed != row.renewed {
			t.Errorf("%s: got %d, renewed %t; want %d, %t", row.field, w.Code, renewed, row.status, row.renewed)
		}
	}
}

// TestScopes uses a token with scopes and claims of the application.
func TestScopes(t *testing.T) {
	auth, _, _ := jwtgatetest.NewAuth(t)
	token := jwtgatetest.TokenOf(t, auth, jwtgate.Grant{
		Subject: "bob",
		Scopes:  []string{"orders:read"},
		Claims:  map[string]string{"team": "blue"},
	})
	d := auth.Decide(t.Context(), jwtgate.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}, jwtgate.Scope("orders:read"))
	claims, err := jwtgate.Claims[struct{ Team string }](d.Context)
	if d.Refusal != nil || err != nil || claims.Team != "blue" {
		t.Errorf("got %v, %+v, %v; want the team blue", d.Refusal, claims, err)
	}
}
