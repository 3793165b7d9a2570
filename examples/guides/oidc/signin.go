package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A signIn signs users in by the authorization code grant (RFC 6749 §4.1). Its endpoints
// work with the Handle of every framework.
type signIn struct {
	auth     *jwtgate.Auth
	provider *provider
}

// An attempt is a sign-in that the browser has begun. It is in a cookie of that browser,
// so that the callback knows that the same browser returns.
type attempt struct {
	State    string // against login CSRF (RFC 6749 §10.12)
	Nonce    string // binds the ID token (OpenID Connect Core §3.1.2.1)
	Verifier string // binds the code (PKCE, RFC 7636)
}

// begin is an endpoint that sends the browser to the provider.
func (s signIn) begin(context.Context, jwtgate.Request) jwtgate.Response {
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	to := s.provider.oauth.AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce))
	return seeOther(to, a.cookie(600))
}

// finish is an endpoint that takes the browser back from the provider, and signs the user
// in.
func (s signIn) finish(ctx context.Context, req jwtgate.Request) jwtgate.Response {
	over := attempt{}.cookie(-1) // a code is good once
	a, ok := attemptOf(req)
	callback, err := url.ParseQuery(req.Query)
	if !ok || err != nil || subtle.ConstantTimeCompare([]byte(callback.Get("state")), []byte(a.State)) != 1 {
		return message(http.StatusBadRequest, "This sign-in was not begun in this browser, or long ago. Please begin again.", over)
	}
	if callback.Has("error") { // the user has refused, for instance
		return seeOther("/", over)
	}
	subject, err := s.subject(ctx, callback.Get("code"), a)
	if err != nil {
		// The cause may have details of the provider, so it goes to the log only.
		slog.ErrorContext(ctx, "sign-in failed", "cause", err)
		return message(http.StatusBadGateway, "The sign-in has failed. Please try again.", over)
	}
	tokens, err := s.auth.SignIn(ctx, req, subject)
	if err != nil {
		slog.ErrorContext(ctx, "no session", "cause", err)
		return message(http.StatusServiceUnavailable, "Please try again later.", over)
	}
	res := tokens.Cookies()
	if res.Status != 0 {
		return res // the cookies cannot be sent
	}
	return seeOther("/", append(res.Header, over)...)
}

// subject exchanges the code for a token, and returns whom the token is about.
func (s signIn) subject(ctx context.Context, code string, a attempt) (string, error) {
	token, err := s.provider.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", err
	}
	return s.provider.subject(ctx, token, a.Nonce)
}

const attemptCookie = "__Host-attempt"

// cookie returns a in a cookie that lives for maxAge seconds. SameSite is Lax: with Strict,
// the browser would not send the cookie when it comes back from the provider.
func (a attempt) cookie(maxAge int) jwtgate.Field {
	text, _ := json.Marshal(a) // strings always encode
	cookie := http.Cookie{
		Name: attemptCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	return jwtgate.Field{Name: "Set-Cookie", Value: cookie.String()}
}

// attemptOf returns the attempt of the browser that sent req.
func attemptOf(req jwtgate.Request) (a attempt, ok bool) {
	cookies, err := http.ParseCookie(req.First("Cookie"))
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == attemptCookie })
	if err != nil || i < 0 {
		return attempt{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(cookies[i].Value)
	return a, err == nil && json.Unmarshal(text, &a) == nil && a.State != ""
}

// seeOther returns an answer that leads the browser to another page.
func seeOther(to string, header ...jwtgate.Field) jwtgate.Response {
	return jwtgate.Response{Status: http.StatusSeeOther, Header: append(header, jwtgate.Field{Name: "Location", Value: to})}
}

// message returns an answer that the user can read.
func message(status int, text string, header ...jwtgate.Field) jwtgate.Response {
	header = append(header, jwtgate.Field{Name: "Content-Type", Value: "text/plain; charset=utf-8"})
	return jwtgate.Response{Status: status, Header: header, Body: []byte(text)}
}
