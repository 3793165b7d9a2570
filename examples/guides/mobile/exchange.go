package main

import (
	"context"
	"errors"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// exchange returns an endpoint for an app whose user has signed in with Google on the
// phone. The app sends the ID token in the Authorization header, and gets tokens of this
// server for it, as from /token.
func exchange(auth, google *jwtgate.Auth) jwtgate.Endpoint {
	return func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
		d := google.Decide(ctx, req, fresh)
		if d.Refusal != nil {
			return d.Response
		}
		tokens, err := auth.SignIn(ctx, req, googlePrefix+d.Identity.Subject())
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			return refusal.Response()
		}
		return tokens.Response()
	}
}

const googlePrefix = "google|"

func fromGoogle(subject string) bool { return strings.HasPrefix(subject, googlePrefix) }

// fresh accepts an ID token for five minutes only, although it is valid for an hour, so
// that a token that is found in a log later signs nobody in.
var fresh = jwtgate.Check(func(ctx context.Context, _ *jwtgate.Identity) (bool, error) {
	claims, err := jwtgate.Claims[struct {
		IssuedAt int64 `json:"iat"`
	}](ctx)
	return time.Since(time.Unix(claims.IssuedAt, 0)) < 5*time.Minute, err
})
