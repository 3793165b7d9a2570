package jwtgate

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Tokens are the tokens of a login or a refresh.
type Tokens struct {
	Access         AccessToken
	Refresh        string    // opaque
	RefreshExpires time.Time // unless it is used before
	SessionID      string    // the sid of the access token

	transient bool // as in Lifetime
	auth      *Auth
	identity  *Identity // of a request with the access token
	plainHost string    // as Auth.plainHost returns it, for the request of the login
	stepped   time.Time // before the store was asked; zero for a login
}

// Response returns t in the form of RFC 6749 §5.1: JSON that no cache may store.
func (t Tokens) Response() Response {
	body, err := json.Marshal(struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
	}{t.Access.Token, "Bearer", int64(t.Access.TTL / time.Second), t.Refresh})
	if err != nil { // a struct of strings always encodes
		return refuse(CodeUnavailable, err).Response()
	}
	return jsonAnswer(nil, body)
}

// Cookies returns t as the cookies of [Config.Cookies]. The Response has no status:
// send it before the application's own answer, such as a redirect. If the access token
// does not fit into a cookie, because the Grant of its subject is too large, Cookies
// ends the session and answers 500. If cookies are not configured, it answers 503.
func (t Tokens) Cookies() Response {
	if t.auth == nil || t.auth.cookies == nil {
		return refuse(CodeUnavailable, errNoCookies).Response()
	}
	a, ctx := t.auth, context.Background()
	if err := a.cookies.fits(t.Access); err != nil {
		event := Event{Subject: t.identity.Subject(), SessionID: t.SessionID}
		_ = a.EndSession(ctx, t.SessionID) // reported if it fails
		return a.failed(ctx, event, err).Response()
	}
	a.warnPlainHTTP(ctx, t.plainHost)
	return Response{Header: append(slices.Clip(a.cookies.host), t.cookies()...)}
}

// answer returns the answer of an endpoint. It has t in the body, or in cookies with a
// body that says how long the access token is valid.
func (t Tokens) answer(inCookies bool) Response {
	if !inCookies {
		return t.Response()
	}
	body, err := json.Marshal(struct {
		ExpiresIn int64 `json:"expires_in"`
	}{int64(t.Access.TTL / time.Second)})
	if err != nil { // a number always encodes
		return refuse(CodeUnavailable, err).Response()
	}
	return jsonAnswer(t.cookies(), body)
}

// cookies returns t, whose access token fits into a cookie, as header fields.
func (t Tokens) cookies() []Field {
	return t.auth.cookies.set(t, t.auth.config.Now())
}
