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

// A Transport is the client's half: an [http.RoundTripper] that puts the access
// token of a session on requests, and keeps the session alive. It works with
// package jwtgate, and with whatever else speaks RFC 6750 and the refresh of RFC
// 6749 §6. [New] makes one; use it in an [http.Client]:
//
//	client := &http.Client{Transport: transport}
//
// The token goes to the declared origins only, so not with a redirect to
// elsewhere. It is renewed shortly before it expires, by the time at which it was
// received, and after a 401 that says error="invalid_token" (RFC 6750 §3.1); the
// request is then sent once more. However many requests need it, there is one
// renewal at a time, and it goes on if the request that began it is cancelled.
// Each request waits for it as long as its own context allows.
//
// Errors: [ErrSignedOut] means that somebody must sign in again. Any other is
// trouble that passes, such as a refresh endpoint that answers 503: no token is
// lost by it, and one that is still good stays in use. A failed renewal is not
// repeated for each request, but after a pause. The answer to a renewal may be
// lost after the server has replaced the refresh token; asked again within its
// reuse window, it gives the same one, and a Transport asks three times. Only
// where nothing at all gets through for longer than that is the session lost.
//
// A 401 comes back, with its body unread, if it is not about the token, if it is
// the answer to the second attempt or to a token that had such an answer a moment
// ago, or if the request had a body and no GetBody. In the last case the renewal
// is begun, so that the next request is ready.
//
// A request with an Authorization field of its own is passed on as it is. If the
// field is there and nil, the request goes without, signed in or not:
//
//	req.Header["Authorization"] = nil
//
// A Transport is safe for concurrent use. It leaves the requests that it is given
// as they are, but for closing their bodies.
type Transport struct {
	base    http.RoundTripper
	origins []origin
	store   Store

	tokenURL   string
	refreshURL string
	logoutURL  string

	turn    chan struct{} // holds one value while someone changes what is stored
	unsaved *unsaved      // whose turn it is reads and writes it

	mu       sync.Mutex // guards what follows, and is held for moments only
	current  *grant     // nil if there are no tokens, or none are known of yet
	flight   *flight    // the renewal that is under way, or nil
	failed   failures
	futile   futile
	signOuts int  // what began before the last one must not sign in after it
	left     bool // by SignOut: what others store does not sign in here
}

// ErrSignedOut is that there are no tokens, or that they are good for nothing any
// more: sign in again. What it is wrapped with may have a [jwtgate.Refusal] with the
// reason, such as jwtgate.CodeRefreshExpired.
var ErrSignedOut = errors.New("jwtclient: signed out")

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, own := req.Header["Authorization"]; own || req.URL == nil || !t.trusts(req.URL) {
		return t.base.RoundTrip(req)
	}
	g, err := t.acquire(req.Context(), "")
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // RoundTrip must, and what counts is err
		}
		return nil, err
	}
	res, err := t.send(req, req.Body, g)
	if err != nil || !refusesToken(res) || t.isFutile(g) {
		return res, err
	}
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		t.renewSoon(g.Access)
		return res, nil
	}

	// Read to its end, a connection can be used again: by the renewal, if the
	// base has only this one.
	_, _ = io.CopyN(io.Discard, res.Body, maxDrain)
	_ = res.Body.Close()
	if g, err = t.acquire(req.Context(), g.Access); err != nil {
		return nil, err
	}
	body := req.Body
	if body != nil && req.GetBody != nil {
		if body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("jwtclient: the body to send once more: %w", err)
		}
	}
	if res, err = t.send(req, body, g); err == nil && refusesToken(res) {
		t.setFutile(g, time.Now())
	}
	return res, err
}

// maxDrain is how much of an answer is read that nobody will see.
const maxDrain = 4 << 10

// send sends a copy of req with g's token and body, which it closes.
func (t *Transport) send(req *http.Request, body io.ReadCloser, g *grant) (*http.Response, error) {
	signed := req.WithContext(req.Context())
	signed.Body = body
	signed.Header = req.Header.Clone()
	if signed.Header == nil {
		signed.Header = make(http.Header, 1)
	}
	signed.Header["Authorization"] = []string{g.authorization}
	res, err := t.base.RoundTrip(signed)
	if res != nil {
		res.Request = req // who prints an answer's request prints no token
	}
	return res, err
}

// Token returns the access token to send a request with, renewed if need be, and
// when it expires; zero if nobody knows. It is for clients that have a transport
// of their own, such as those of golang.org/x/oauth2 and gRPC. Its errors are those of
// [Transport].
func (t *Transport) Token(ctx context.Context) (access string, expires time.Time, err error) {
	g, err := t.acquire(ctx, "")
	if err != nil {
		return "", time.Time{}, err
	}
	return g.Access, g.Expires, nil
}

// CloseIdleConnections passes the call of [http.Client.CloseIdleConnections] on.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}
