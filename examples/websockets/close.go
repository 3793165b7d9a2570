package websockets

import (
	"context"
	"errors"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// The codes with which the server closes a socket. Those from 4000 on are for
// applications (RFC 6455 §7.4.2).
const (
	closeReconnect = 4000 // the access token has expired: the page makes any request to the API, which renews the session, and opens the socket again
	closeSignedOut = 4001 // the session is over: the user has to sign in
)

// closeCode returns the code for a watched context that is done.
func closeCode(watched context.Context) int {
	refusal := (*jwtgate.Refusal)(nil)
	if errors.As(context.Cause(watched), &refusal) && refusal.Code == jwtgate.CodeTokenRevoked {
		return closeSignedOut
	}
	return closeReconnect
}
