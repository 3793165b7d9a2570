package jwtclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A Transport is an [http.RoundTripper] that adds the access token of a session to
// requests and renews the tokens of that session. Create it with [New] and use it
// in an [http.Client]:
//
//	client := &http.Client{Transport: transport}
//
// The access token is added only to requests for the origins in [Config]. A
// request for another origin, such as one that follows a redirect, is sent without
// it. A request that has an Authorization field already is sent unchanged. Set the
// field to nil to send a request without a token, even while signed out:
//
//	req.Header["Authorization"] = nil
//
// # Renewal
//
// The tokens are renewed shortly before the access token expires, and after a 401
// response that says error="invalid_token" (RFC 6750 §3.1). After such a response
// the request is sent a second time, with the new access token. The expiry is
// counted from the moment at which the tokens were received, so the clock of the
// server does not matter.
//
// There is one renewal at a time, which all requests share. It continues when the
// request that started it is canceled. Each request waits for it no longer than
// its context allows.
//
// The response to a renewal may be lost after the server has replaced the refresh
// token. A Transport therefore makes up to three attempts, and further ones with
// later requests. A server with package jwtgate answers a replaced refresh token
// with its replacement until that one is used, so no lost response ends the session.
// For other servers, the attempts begin within 10 seconds. If the server says that a
// newer refresh token is in use (jwtgate.CodeRefreshStale), the next renewal reads
// the Store again.
//
// # 401 responses
//
// The caller receives a 401 response, with its body unread, in these cases:
//   - The response does not say that the access token is invalid.
//   - The request has been sent twice already.
//   - The API refused the same access token less than a second ago, when another
//     request was sent the second time.
//   - The request has a body and no GetBody function. In this case the renewal is
//     started in the background, and the next request waits for it.
//
// # Errors
//
// [ErrSignedOut] means that the user must sign in again. No other error ends the
// session: if the refresh endpoint answers with status 503, for example, the
// tokens are kept, and an access token that has not expired stays in use. After a
// failed renewal there is a pause before the next one: one second at first, twice
// as long after each further failure, up to 30 seconds. A Retry-After field in the
// response can extend it to one minute. Until the pause is over, a request that
// needs new tokens fails with the error of the last renewal.
//
// A Transport is safe for concurrent use. It does not change the requests that it
// is given, except that it closes their bodies.
type Transport struct {
	base    http.RoundTripper
	origins []origin
	store   Store

	tokenURL   string
	refreshURL string
	logoutURL  string

	storeLock chan struct{} // a mutex for the use of store: it is locked while the channel has a value
	unsaved   *unsaved      // guarded by storeLock

	mu        sync.Mutex    // guards the fields below, and is never held during I/O
	active    *activeTokens // nil if there are no tokens, or if the store has not been read yet
	renewal   *renewal      // the renewal in flight, or nil
	failures  failures
	rejected  rejected
	signOuts  int  // how often SignOut was called
	signedOut bool // since SignOut and until the next sign-in, tokens in the store are ignored
}

// ErrSignedOut is the error of a [Transport] that has no tokens, or whose session
// has ended. The user must sign in again. If the server gave a reason, the error
// wraps a [jwtgate.Refusal] with its code, such as jwtgate.CodeRefreshExpired.
var ErrSignedOut = errors.New("jwtclient: signed out")

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, own := req.Header["Authorization"]; own || req.URL == nil || !t.trusts(req.URL) {
		return t.base.RoundTrip(req)
	}
	active, err := t.acquire(req.Context(), "")
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper must close it, and err is the error to return
		}
		return nil, err
	}
	res, err := t.send(req, req.Body, active)
	if err != nil || !refusesToken(res) || t.isRejected(active) {
		return res, err
	}
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		t.renewInBackground(active.Access)
		return res, nil
	}

	// A connection can be reused once the response on it has been read to its end.
	// The renewal needs that if the base has no other connection.
	_, _ = io.CopyN(io.Discard, res.Body, maxDrain)
	_ = res.Body.Close()
	if active, err = t.acquire(req.Context(), active.Access); err != nil {
		return nil, err
	}
	body := req.Body
	if body != nil && req.GetBody != nil {
		if body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("jwtclient: get the body to send the request again: %w", err)
		}
	}
	if res, err = t.send(req, body, active); err == nil && refusesToken(res) {
		t.setRejected(active, time.Now())
	}
	return res, err
}

// maxDrain is how many bytes are read of a response that is discarded.
const maxDrain = 4 << 10

// send sends a copy of req with body and the access token. It closes body.
func (t *Transport) send(req *http.Request, body io.ReadCloser, active *activeTokens) (*http.Response, error) {
	authorized := req.WithContext(req.Context())
	authorized.Body = body
	authorized.Header = req.Header.Clone()
	if authorized.Header == nil {
		authorized.Header = make(http.Header, 1)
	}
	authorized.Header["Authorization"] = []string{active.authorization}
	res, err := t.base.RoundTrip(authorized)
	if res != nil {
		res.Request = req // without the token, which a caller that logs the request would log
	}
	return res, err
}

// Token returns an access token and the time at which it expires, which is zero if
// it is unknown. Token renews the tokens as a request does. It is for clients that
// have a transport of their own, such as those of golang.org/x/oauth2 and gRPC. Such a
// client does not know Config.Origin: it must send the token to the API only, also
// after a redirect. The errors are those of [Transport].
func (t *Transport) Token(ctx context.Context) (access string, expires time.Time, err error) {
	active, err := t.acquire(ctx, "")
	if err != nil {
		return "", time.Time{}, err
	}
	return active.Access, active.Expires, nil
}

// CloseIdleConnections closes the idle connections of Config.Base, if it has a
// method to do so. [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}
