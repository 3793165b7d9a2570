package core

import (
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
	return Response{
		Status: http.StatusOK,
		Header: []Field{{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
		Body:   append(body, '\n'),
	}
}
