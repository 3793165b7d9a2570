package jwtgatetest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TokenOf returns an access token for grant, with its roles, scopes and claims, issued
// by auth. If auth cannot issue it, TokenOf fails the test.
func TokenOf(tb testing.TB, auth *jwtgate.Auth, grant jwtgate.Grant) string {
	tb.Helper()
	token, err := auth.Issue(context.Background(), grant)
	if err != nil {
		tb.Fatalf("issue a token: %v", err)
	}
	return token.Token
}

// CookieOf returns the value of the Cookie header of a browser whose access cookie has
// the token of [TokenOf]. It is for claims that [jwtgate.SessionConfig].Subject does not
// return. The browser has no refresh cookie, and the token belongs to no session: when
// it has expired, the request is refused. To test a renewal, use [Cookie]. The
// configuration of auth must have Sessions and Cookies. If there can be no such cookie,
// CookieOf fails the test.
func CookieOf(tb testing.TB, auth *jwtgate.Auth, grant jwtgate.Grant) string {
	tb.Helper()
	cookies, access := openSession(tb, auth, grant.Subject)
	for _, cookie := range cookies {
		if name, ok := strings.CutSuffix(cookie, access); ok {
			return name + TokenOf(tb, auth, grant)
		}
	}
	tb.Fatal("the sign-in set no access cookie")
	return ""
}

// Context returns a context with the identity that grant describes, for the unit test
// of a handler, or of another function that calls [jwtgate.IdentityFrom] or
// [jwtgate.Claims]. The identity has signed in just now, and the context is that of the
// test otherwise.
//
// No Auth of the application takes part, so the issuer is not the application's, and a
// guard does not accept the context: to test that a route is protected, send a request
// with a [Token] or a [Cookie]. If there can be no token for grant, Context fails the
// test.
func Context(tb testing.TB, grant jwtgate.Grant) context.Context {
	tb.Helper()
	auth := siteAuth(tb, withSessions, func(c *jwtgate.Config) {
		c.Now = time.Now
		c.Sessions.Subject = func(context.Context, string) (jwtgate.Grant, error) { return grant, nil }
	})
	tokens, err := auth.SignIn(tb.Context(), jwtgate.Request{}, grant.Subject)
	if err != nil {
		tb.Fatalf("sign in: %v", err)
	}
	d := auth.Decide(tb.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + tokens.Access.Token}}})
	if d.Refusal != nil {
		tb.Fatalf("the token is refused: %v", d.Refusal)
	}
	return d.Context
}

// openSession signs subject in, and returns the cookies of the browser, each as
// name=value, and the access token among them.
func openSession(tb testing.TB, auth *jwtgate.Auth, subject string) (cookies []string, access string) {
	tb.Helper()
	tokens, err := auth.SignIn(context.Background(), jwtgate.Request{}, subject)
	if err != nil {
		tb.Fatalf("sign in: %v", err)
	}
	res := tokens.Cookies()
	if res.Status != 0 {
		tb.Fatalf("cookies of the sign-in: got status %d: set Config.Cookies", res.Status)
	}
	for _, field := range res.Header {
		pair, _, _ := strings.Cut(field.Value, ";")
		if field.Name == "Set-Cookie" && !strings.HasSuffix(pair, "=") { // the others delete cookies
			cookies = append(cookies, pair)
		}
	}
	return cookies, tokens.Access.Token
}
