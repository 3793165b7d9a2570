package jwtgate

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Tokens are what a login or a refresh hands out.
type Tokens struct {
	Access         AccessToken
	Refresh        string    // opaque
	RefreshExpires time.Time // unless it is used before
	SessionID      string    // the sid of the access token

	auth *Auth
}

// Response returns t as RFC 6749 §5.1 has it: JSON, never to be stored.
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
	return answer(nil, body)
}

// Cookies returns t as the cookies of [Config.Cookies]: a Response without a
// status, to be sent before the application's own answer, such as a redirect.
// Where cookies are not configured, or cannot hold t, it answers 503.
func (t Tokens) Cookies() Response {
	header, refusal := t.cookieFields()
	if refusal != nil {
		return refusal.Response()
	}
	return Response{Header: header}
}

// answerCookies returns t as cookies, with a body that says for how long.
func (t Tokens) answerCookies() (Response, *Refusal) {
	header, refusal := t.cookieFields()
	if refusal != nil {
		return Response{}, refusal
	}
	body, err := json.Marshal(struct {
		ExpiresIn int64 `json:"expires_in"`
	}{int64(t.Access.TTL / time.Second)})
	if err != nil { // a number always encodes
		return Response{}, refuse(CodeUnavailable, err)
	}
	return answer(header, body), nil
}

func (t Tokens) cookieFields() ([]Field, *Refusal) {
	if t.auth == nil || t.auth.cookies == nil {
		return nil, refuse(CodeUnavailable, errNoCookies)
	}
	header, err := t.auth.cookies.set(t, t.auth.config.Now())
	if err != nil {
		return nil, t.auth.trouble(context.Background(), Event{SessionID: t.SessionID}, err)
	}
	return header, nil
}

// answer returns a JSON answer that carries tokens, which no cache may keep.
func answer(header []Field, body []byte) Response {
	return Response{
		Status: http.StatusOK,
		Header: append(header, Field{"Content-Type", "application/json"}, Field{"Cache-Control", "no-store"}),
		Body:   append(body, '\n'),
	}
}
