// Package demo has what the servers offer for their demo page alone.
package demo

import (
	"context"
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Expire returns an endpoint that lets all access tokens of the caller count as expired,
// so that the page shows a renewal without waiting for it. An application would call
// RenewSubject after the roles of a user have changed. It must be behind Protect.
func Expire(auth *jwtgate.Auth) jwtgate.Endpoint {
	return func(ctx context.Context, _ jwtgate.Request) jwtgate.Response {
		id, ok := jwtgate.IdentityFrom(ctx)
		if !ok {
			return jwtgate.Response{Status: http.StatusUnauthorized}
		}
		if err := auth.RenewSubject(ctx, id.Subject()); err != nil {
			return jwtgate.Response{Status: http.StatusServiceUnavailable}
		}
		return jwtgate.Response{Status: http.StatusNoContent}
	}
}
