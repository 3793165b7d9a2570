package jwtgate

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/etag"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// JWKS is an [Endpoint] that publishes the public halves of [Config.Keys] as a JWK
// Set (RFC 7517 §5), so that others can verify the tokens issued here. For a
// [keys.Ring], it includes the announced key and the retired keys. It never includes
// a secret: if all keys are HMAC keys, the set is empty.
//
// Clients may keep the set for 5 minutes, and then ask by If-None-Match (RFC 9110
// §13.1.2) whether it has changed; the answer is 304 if not.
func (a *Auth) JWKS(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "jwks", &req, a.answering(&req), &answer)
	if a == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth)).Response
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return a.wrongMethod(ctx, &req, "GET, HEAD")
	}
	set, err := a.issuers[0].keys.Current().JWKSet(a.keysAt(a.config.Now()))
	if err != nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response
	}
	page := a.jwksPage(set)
	if etag.Named(req.First("If-None-Match"), page.etag) {
		return Response{Status: http.StatusNotModified, Header: page.header[1:]} // RFC 9110 §15.4.5: without the type
	}
	return Response{Status: http.StatusOK, Header: page.header, Body: set.Body}
}

// A jwksPage is the header of the answer with a JWK Set. It never changes.
type jwksPage struct {
	set    *keyaccess.JWKSet
	etag   string
	header []Field
}

// jwksPage returns the page for set, which it computes once.
func (a *Auth) jwksPage(set *keyaccess.JWKSet) *jwksPage {
	if page := a.jwks.Load(); page != nil && page.set == set {
		return page
	}
	page := &jwksPage{set: set, etag: etag.Of(set.Body)}
	page.header = []Field{
		{"Content-Type", "application/jwk-set+json"},
		{"Cache-Control", "public, max-age=" + strconv.Itoa(int(set.MaxAge/time.Second))},
		{"ETag", page.etag},
	}
	a.jwks.Store(page)
	return page
}
