package jwtgatetest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// withSessions configures sessions in which every subject has the role user.
func withSessions(c *jwtgate.Config) {
	c.Cookies = &jwtgate.CookieConfig{}
	c.Sessions = &jwtgate.SessionConfig{
		Subject: func(context.Context, string) (jwtgate.Grant, error) {
			return jwtgate.Grant{Roles: []string{"user"}}, nil
		},
		Limiter: limiter{},
	}
}

// A limiter refuses the logins of mallory.
type limiter struct{}

func (limiter) Begin(_ context.Context, login jwtgate.LoginAttempt) (done func(bool), wait time.Duration, err error) {
	if login.Username == "mallory" {
		return nil, 1500 * time.Millisecond, nil
	}
	return nil, 0, nil
}

// The lifetimes of sessions whose login has chosen one.
var (
	remembered = jwtgate.Lifetime{RefreshTTL: 30 * 24 * time.Hour}
	forgotten  = jwtgate.Lifetime{Transient: true}
)

// lifetimeOf chooses between them.
func lifetimeOf(_ context.Context, _ string, parameter func(string) string) jwtgate.Lifetime {
	if parameter("remember") == "on" {
		return remembered
	}
	return forgotten
}

// signIn starts a session of subject, and returns its tokens.
func signIn(t *testing.T, auth *jwtgate.Auth, subject string, lifetime ...jwtgate.Lifetime) jwtgate.Tokens {
	t.Helper()
	tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, subject, lifetime...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// cookies returns the Cookie header line of a browser with tokens.
func cookies(tokens jwtgate.Tokens) string {
	return "Cookie: __Host-at=" + tokens.Access.Token + "; __Host-rt=" + tokens.Refresh
}

// refreshed uses a refresh token, and returns its successor.
func refreshed(t *testing.T, auth *jwtgate.Auth, token string) string {
	t.Helper()
	res := auth.Refresh(t.Context(), jwtgate.Request{
		Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   strings.NewReader(`{"refresh_token":"` + token + `"}`),
	})
	var body struct {
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(res.Body, &body); err != nil || res.Status != http.StatusOK {
		t.Fatalf("refresh: got status %d, error %v, want 200", res.Status, err)
	}
	return body.Refresh
}

// runSignIn tests the endpoints that start, renew and end sessions. The adapter
// must pass on the bodies and the cookies of their requests and responses.
func runSignIn(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	auth := siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Now = clock.Now })
	tokens := func() jwtgate.Tokens { return signIn(t, auth, "alice") }
	expired := tokens()
	clock.Advance(8 * 24 * time.Hour)
	replaced := tokens()
	next := refreshed(t, auth, replaced.Refresh)
	clock.Advance(time.Minute)
	refreshed(t, auth, next)
	stale := tokens()
	refreshed(t, auth, refreshed(t, auth, stale.Refresh)) // uses the successor
	clock.Advance(15 * time.Second)
	narrow := siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Sessions.MaxSessions, c.Sessions.RefuseAtMax = 1, true })
	signIn(t, narrow, "alice")
	check := func(_ context.Context, username, password string) (string, bool, error) {
		if username == "unavailable" {
			return "", false, errUnavailable
		}
		return username, password == "wonder land", nil
	}
	var s stage
	var routes []Route
	for _, method := range []string{"GET", "POST", "DELETE"} {
		routes = append(routes,
			Route{Method: method, Path: "/login", Endpoint: auth.Login(check)},
			Route{Method: method, Path: "/remember", Endpoint: auth.Login(check, lifetimeOf)},
			Route{Method: method, Path: "/narrow", Endpoint: narrow.Login(check)},
			Route{Method: method, Path: "/token", Endpoint: auth.Token(check)},
			Route{Method: method, Path: "/refresh", Endpoint: auth.Refresh},
			Route{Method: method, Path: "/logout", Endpoint: auth.Logout},
			Route{Method: method, Path: "/everywhere", Endpoint: auth.LogoutAll},
			Route{Method: method, Path: "/elsewhere", Endpoint: auth.LogoutOthers},
			Route{Method: method, Path: "/nowhere", Endpoint: auth.DeleteSession},
			Route{Method: method, Path: "/sessions", Guards: guards(auth), Endpoint: auth.ListSessions})
	}
	routes = append(routes, Route{Method: "GET", Path: "/me", Guards: guards(auth), Handler: s.who})
	other := tokens()
	routes = append(routes, Route{Method: "DELETE", Path: "/device/" + other.SessionID, Endpoint: auth.DeleteSession})
	s.addr = serve(t, Site{Routes: routes})

	const (
		form      = "Content-Type: application/x-www-form-urlencoded"
		json      = "Content-Type: application/json"
		elsewhere = "Sec-Fetch-Site: cross-site"
		good      = "username=alice&password=wonder+land"
	)
	body := func(target, body string, lines ...string) string { return request("POST", target, body, lines...) }
	answered := answer{Response: jwtgate.Response{Status: 200, Body: []byte(`{"expires_in":900}` + "\n")}}
	answered = answered.with("Content-Type", "application/json").with("Cache-Control", "no-store")
	secret := answered // its body has tokens, which the suite cannot know
	secret.anyBody = true
	done := answer{Response: jwtgate.Response{Status: 204}}.with("Cache-Control", "no-store")
	malformed := func(status int) answer { return refusalOf(jwtgate.CodeMalformedRequest, status, "invalid_request") }
	denied := func(code jwtgate.Code) answer { return refusalOf(code, 401, "invalid_grant") }
	notPost := refusal(jwtgate.CodeMethodNotAllowed).with("Allow", "POST")
	ended, twice, gone, last := tokens(), tokens(), tokens(), tokens()
	bearer := func(tokens jwtgate.Tokens) string { return "Authorization: Bearer " + tokens.Access.Token }

	s.run(t, []row{
		{"login, form", body("/login", good, form), answered.renewed()},
		{"login, JSON", body("/login", `{"username":"alice","password":"wonder land"}`, json+"; charset=utf-8"), answered.renewed()},
		{"login, chunks", post("/login", form, "Transfer-Encoding: chunked") + "10\r\nusername=alice&p\r\n13\r\nassword=wonder+land\r\n0\r\n\r\n", answered.renewed()},
		{"login, wrong password", body("/login", "username=alice&password=x", form), denied(jwtgate.CodeInvalidCredentials)},
		{"login, throttled", body("/login", "username=mallory&password=x", form), refusal(jwtgate.CodeThrottled).with("Retry-After", "2")},
		{"login, store unavailable", body("/login", "username=unavailable&password=x", form), refusal(jwtgate.CodeUnavailable)},
		{"login, no body", post("/login"), malformed(400)},
		{"login, in the query", post("/login?" + good), malformed(400)},
		{"login, twice", body("/login", good+"&username=bob", form), malformed(400)},
		{"login, no type", body("/login", good), malformed(415)},
		{"login, text", body("/login", good, "Content-Type: text/plain"), malformed(415)},
		{"login, too large", body("/login", good+"&x="+strings.Repeat("x", 64<<10), form), malformed(413)},
		{"login, GET", get("/login?" + good), notPost},
		{"login, from elsewhere", body("/login", good, form, elsewhere), refusalOf(jwtgate.CodeCrossSite, 403, "invalid_request")},
		{"login, too many sessions", body("/narrow", good, form), refusalOf(jwtgate.CodeTooManySessions, 403, "invalid_request")},
		{"login, remembered", body("/remember", good+"&remember=on", form), answered.renewedFor("Max-Age=2592000; ")},
		{"login, not remembered", body("/remember", good, form), answered.renewedFor("")},
		{"refresh, remembered", post("/refresh", cookies(signIn(t, auth, "alice", remembered))), answered.renewedFor("Max-Age=2592000; ")},
		{"refresh, not remembered", post("/refresh", cookies(signIn(t, auth, "alice", forgotten))), answered.renewedFor("")},
		{"token", body("/token", good, form), secret},
		{"token, from elsewhere", body("/token", good, form, elsewhere), secret},
		{"token, wrong grant", body("/token", good+"&grant_type=implicit", form), malformed(400)},

		{"refresh, cookie", post("/refresh", cookies(tokens())), answered.renewed()},
		{"refresh, form", body("/refresh", "refresh_token="+tokens().Refresh, form), secret},
		{"refresh, JSON", body("/refresh", `{"refresh_token":"`+tokens().Refresh+`"}`, json), secret},
		{"refresh, both", body("/refresh", "refresh_token="+tokens().Refresh, form, cookies(tokens())), malformed(400)},
		{"refresh, none", post("/refresh"), denied(jwtgate.CodeRefreshMissing)},
		{"refresh, forged", body("/refresh", "refresh_token=wonderland.example", form), denied(jwtgate.CodeRefreshInvalid)},
		{"refresh, forged cookie", post("/refresh", "Cookie: __Host-rt=wonderland.example"), denied(jwtgate.CodeRefreshInvalid).cleared()},
		{"refresh, expired", post("/refresh", cookies(expired)), denied(jwtgate.CodeRefreshExpired).cleared()},
		{"refresh, replaced", post("/refresh", cookies(replaced)), denied(jwtgate.CodeRefreshReused).cleared()},
		{"after that, access token", get("/me", bearer(replaced)), refusal(jwtgate.CodeTokenRevoked)},
		{"refresh, stale", post("/refresh", cookies(stale)), denied(jwtgate.CodeRefreshStale)},
		{"refresh, two cookies", post("/refresh", "Cookie: __Host-rt=a", "Cookie: __Host-rt=b"), refusalOf(jwtgate.CodeMalformedCredentials, 400, "invalid_request")},
		{"refresh, from elsewhere", post("/refresh", cookies(tokens()), elsewhere), refusalOf(jwtgate.CodeCrossSite, 403, "invalid_request")},
		{"refresh, other session's access token", post("/refresh", cookies(tokens()), bearer(other)), denied(jwtgate.CodeTokenInvalid).cleared()},
		{"refresh, GET", get("/refresh", cookies(tokens())), notPost},

		{"before logout", get("/me", bearer(ended)), passed("alice")},
		{"logout", post("/logout", cookies(ended)), done.cleared()},
		{"after logout", get("/me", bearer(ended)), refusal(jwtgate.CodeTokenRevoked)},
		{"after logout, cookie", get("/me", cookies(ended)), refusal(jwtgate.CodeTokenRevoked).cleared()},
		{"after logout, refresh", post("/refresh", cookies(ended)), denied(jwtgate.CodeRefreshRevoked).cleared()},
		{"logout again", post("/logout", cookies(ended)), done.cleared()},
		{"logout, nobody", post("/logout"), done.cleared()},
		{"logout, body", body("/logout", "refresh_token="+twice.Refresh, form), done.cleared()},
		{"after logout by body", get("/me", bearer(twice)), refusal(jwtgate.CodeTokenRevoked)},
		{"logout, from elsewhere", post("/logout", cookies(tokens()), elsewhere), refusal(jwtgate.CodeCrossSite)},
		{"logout, GET", get("/logout"), notPost},

		{"list", get("/sessions", bearer(other)), secret},
		{"list, nobody", get("/sessions"), refusal(jwtgate.CodeTokenMissing)},
		{"list, POST", post("/sessions", bearer(other)), refusal(jwtgate.CodeMethodNotAllowed).with("Allow", "GET")},
		{"end one, not one's own", request("DELETE", "/device/"+other.SessionID, "", bearer(signIn(t, auth, "bob"))), refusal(jwtgate.CodeNotFound)},
		{"end one", request("DELETE", "/device/"+other.SessionID, "", bearer(gone)), done},
		{"end one, unknown", request("DELETE", "/nowhere", "", bearer(gone)), refusal(jwtgate.CodeNotFound)},
		{"after the end", get("/me", bearer(other)), refusal(jwtgate.CodeTokenRevoked)},
		{"end others, from elsewhere", post("/elsewhere", cookies(gone), elsewhere), refusal(jwtgate.CodeCrossSite)},
		{"end others, nobody", post("/elsewhere"), refusal(jwtgate.CodeTokenMissing)},
		{"end others", post("/elsewhere", cookies(gone)), done.with("Vary", "Cookie")},
		{"after the end of others", get("/me", bearer(gone)), passed("alice")},
		{"after the end of others, another", get("/me", bearer(last)), refusal(jwtgate.CodeTokenRevoked)},
		{"end all", post("/everywhere", bearer(gone)), done.cleared()},
		{"after the end of all", get("/me", bearer(gone)), refusal(jwtgate.CodeTokenRevoked)},
	})
}
