package jwtgate

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keepJWKS is how long others may keep the JWK Set before they ask again. It is
// how early a key must be announced.
const keepJWKS = 5 * time.Minute

// JWKS is an [Endpoint] that publishes the public halves of [Config.Keys] as a
// JWK Set (RFC 7517 §5), for others to verify our tokens with: the keys of a
// [KeyRing] that is to sign next and of those that signed before, too. A secret
// is never part of it: with HMAC keys alone the set is empty.
//
// Others may keep the set for 5 minutes, and then ask whether it has changed by
// If-None-Match (RFC 9110 §13.1.2), which 304 says it has not.
func (a *Auth) JWKS(ctx context.Context, req Request) Response {
	if a == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth)).Response
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return a.wrongMethod(ctx, &req, "GET, HEAD")
	}
	set, err := a.trusted[0].keys.held().jwkSet(a.keysAt(a.config.Now()))
	if err != nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response
	}
	if namesETag(req.First("If-None-Match"), set.etag) {
		return Response{Status: http.StatusNotModified, Header: set.header[1:]} // RFC 9110 §15.4.5: all but the type
	}
	return Response{Status: http.StatusOK, Header: set.header, Body: set.body}
}

// A publishedSet is a JWK Set as it is sent.
type publishedSet struct {
	keys   int // that were held
	etag   string
	header []Field
	body   []byte
}

// jwkSet returns the public keys that t holds at a time. It is made once, and
// again when a retired key is over: they go in the same order for everyone, so
// their number tells one set from another.
func (t *keyTable) jwkSet(at time.Time) (*publishedSet, error) {
	keys := 0
	for _, k := range t.all {
		if !k.material.over(at) {
			keys++
		}
	}
	if set := t.published.Load(); set != nil && set.keys == keys {
		return set, nil
	}
	document := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range t.all {
		if public, ok := newJWK(k.material.public()); ok && !k.material.over(at) {
			public.Alg, public.Kid, public.Use = k.material.method.alg, k.material.id, "sig"
			document.Keys = append(document.Keys, public)
		}
	}
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(body)
	set := &publishedSet{keys: keys, body: body, etag: `"` + base64.RawURLEncoding.EncodeToString(digest[:]) + `"`}
	set.header = []Field{
		{"Content-Type", "application/jwk-set+json"},
		{"Cache-Control", "public, max-age=" + strconv.Itoa(int(keepJWKS/time.Second))},
		{"ETag", set.etag},
	}
	t.published.Store(set)
	return set, nil
}

// namesETag reports whether the value of an If-None-Match field names etag, which
// is a strong one (RFC 9110 §13.1.2), by the weak comparison of §8.8.3.2.
func namesETag(field, etag string) bool {
	if strings.Trim(field, " \t") == "*" {
		return true
	}
	for {
		field = strings.TrimLeft(field, " \t,") // §5.6.1.2: elements of a list may be empty
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

// notInETag reports what is no etagc of §8.8.3.
func notInETag(r rune) bool { return r <= ' ' || r == 0x7f }
