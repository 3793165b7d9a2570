// Package etag makes and compares entity tags (RFC 9110 §8.8.3) for endpoints that
// answer conditional requests.
package etag

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Of returns a strong entity tag of body: equal bodies have equal tags.
func Of(body []byte) string {
	digest := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(digest[:]) + `"`
}

// Named reports whether the value of an If-None-Match field names tag, a strong one
// (RFC 9110 §13.1.2), by the weak comparison of §8.8.3.2.
func Named(field, tag string) bool {
	if strings.Trim(field, " \t") == "*" {
		return true
	}
	for {
		field = strings.TrimLeft(field, " \t,") // §5.6.1.2: list elements may be empty
		next, opened := strings.CutPrefix(strings.TrimPrefix(field, "W/"), `"`)
		next, rest, closed := strings.Cut(next, `"`)
		if !opened || !closed || strings.ContainsFunc(next, notInTag) {
			return false
		}
		if tag == `"`+next+`"` {
			return true
		}
		field = rest
	}
}

// notInTag reports whether r is not an etagc of §8.8.3.
func notInTag(r rune) bool { return r <= ' ' || r == 0x7f }
