package jwtclient_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// challenges are values of WWW-Authenticate, and whether they say that the access
// token is invalid.
var challenges = []struct {
	line string
	want bool
}{
	{`Bearer error="invalid_token"`, true},
	{`Bearer error=invalid_token`, true},
	{`BEARER Error="invalid_token"`, true},
	{`Bearer  realm="a" ,	error = "invalid_token"`, true},
	{`, ,Bearer error="invalid_token", ,`, true},
	{`Bearer realm="say \"Basic\", please", error="invalid_token"`, true},
	{`Bearer error="invalid\_token"`, true}, // a quoted pair stands for the character after the backslash
	{`Basic realm="a, Bearer b", Bearer error="invalid_token"`, true},
	{`Negotiate, Bearer error="invalid_token"`, true},
	{`Negotiate YWJj=, Bearer error="invalid_token"`, true},
	{`Negotiate YWJj== , Bearer error="invalid_token"`, true},
	{`Bearer error="invalid_token", Basic realm="a"`, true},
	{`Bearer error="invalid_token", Negotiate YWJj==`, true},
	{`Bearer !~="a", error="invalid_token"`, true},
	{`Bearer realm="a" error="invalid_token"`, true}, // some servers leave the comma out
	{`Bearer error="invalid_token", error_description="The "token" expired"`, true},
	{`Bearer error="invalid_token", error_description="The token`, true},
	{`Bearer error="invalid_token", Bearer realm="b"`, true},
	{`Bearer error="invalid_token", error=,`, true},

	{``, false},
	{`Bearer`, false},
	{`Bearer,`, false},
	{`error="invalid_token"`, false},
	{`Bearer error="invalid_token`, false},
	{`Bearer error="invalid_token\`, false},
	{`Bearer error=`, false},
	{`Bearer error=""`, false},
	{`Bearer error`, false},
	{`Bearer error="insufficient_scope"`, false},
	{`Bearer error="invalid_token", error="insufficient_scope"`, false},
	{`Bearer error="invalid_token", Bearer error="insufficient_user_authentication"`, false},
	{`Bearer error_description="invalid_token"`, false},
	{`Bearer realm="error=\"invalid_token\""`, false},
	{`Bearer realm="error=invalid_token, Bearer error=invalid_token"`, false},
	{`Bearer realm="a", Basic error="invalid_token"`, false},
	{`Bearers error="invalid_token"`, false},
	{`"Bearer" error="invalid_token"`, false},
	{`Bearer; error="invalid_token"`, false},
	{`Bearer (error="invalid_token")`, false},
	{`Bearer invalid_token`, false},
	{"B\u00e9arer error=\"invalid_token\"", false},
}

func refusesToken(lines ...string) bool {
	return jwtclient.RefusesToken(&http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": lines}})
}

func TestChallenges(t *testing.T) {
	t.Parallel()
	for _, row := range challenges {
		if got := refusesToken(row.line); got != row.want {
			t.Errorf("%s: got %t; want %t", row.line, got, row.want)
		}
	}
}

// FuzzChallenges checks that the parser does not panic or loop, that it finds no
// invalid_token in a line without one, and that other challenges before a line do
// not change the result.
func FuzzChallenges(f *testing.F) {
	for _, row := range challenges {
		f.Add(row.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := refusesToken(line)
		lower := strings.ToLower(strings.ReplaceAll(line, `\`, ""))
		if got && !(strings.Contains(lower, "bearer") && strings.Contains(lower, "error") && strings.Contains(lower, "invalid_token")) {
			t.Errorf("%q: got true; want false, as invalid_token is not there", line)
		}
		for _, before := range []string{`Basic realm="a", `, `Negotiate YWJj==, `} {
			if together := refusesToken(before + line); together != got {
				t.Errorf("%q: got %t, and %t after %q", line, got, together, before)
			}
		}
		if together := refusesToken(`Basic realm="a"`, line); together != got {
			t.Errorf("%q: got %t, and %t after another line", line, got, together)
		}
	})
}
