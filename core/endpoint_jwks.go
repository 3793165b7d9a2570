package jwtgate

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	if namesETag(req.First("If-None-Match"), page.etag) {
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
	digest := sha256.Sum256(set.Body)
	page := &jwksPage{set: set, etag: `"` + base64.RawURLEncoding.EncodeToString(digest[:]) + `"`}
	page.header = []Field{
		{"Content-Type", "application/jwk-set+json"},
		{"Cache-Control", "public, max-age=" + strconv.Itoa(int(set.MaxAge/time.Second))},
		{"ETag", page.etag},
	}
	a.jwks.Store(page)
	return page
}

// namesETag reports whether the value of an If-None-Match field names etag, a strong
// one (RFC 9110 §13.1.2), by the weak comparison of §8.8.3.2.
func namesETag(field, etag string) bool {
	if strings.Trim(field, " \t") == "*" {
		return true
	}
	for {
		field = strings.TrimLeft(field, " \t,") // §5.6.1.2: list elements may be empty
		tag, opened := strings.CutPrefix(strings.TrimPrefix(field, "W/"), `"`)
		tag, rest, closed := strings.Cut(tag, `"`)
		if !opened || !closed || strings.ContainsFunc(tag, notInETag) {
			return false
		}
		if etag == `"`+tag+`"` {
			return true
		}
		field = rest
	}
}

// notInETag reports whether r is not an etagc of §8.8.3.
func notInETag(r rune) bool { return r <= ' ' || r == 0x7f }
