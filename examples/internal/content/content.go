// Package content has the documents that the example servers serve.
package content

import (
	"crypto/sha256"
	_ "embed" // for Home
	"encoding/base64"
	"regexp"

	"github.com/jwtgate/jwtgate/examples/internal/web"
)

// Home is the page at "/", in HTML.
//
//go:embed home.html
var Home []byte

// HomeHeader is what Home is sent with: the page may run its own script and those
// of its own server, ask that, and do nothing else, whatever should get into it.
var HomeHeader = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self' " + hashOf("script") + "; style-src " + hashOf("style") +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy":        "no-referrer",
}

// hashOf returns the source expression that allows the one element of Home with
// that name and nothing else (CSP Level 3 §2.3.1).
func hashOf(element string) string {
	text := regexp.MustCompile(`(?s)<` + element + `>(.*?)</` + element + `>`).FindSubmatch(Home)[1]
	digest := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
}

// A Document is a text that clients keep and ask for again.
type Document struct {
	Text  string
	Type  string // Content-Type
	Cache string // Cache-Control
	ETag  string // the entity tag (RFC 9110 §8.8.3)
}

// Report seldom changes: clients need not ask for an hour.
var Report = newDocument("All gates are shut, and everyone inside came with a token.\n", "text/plain; charset=utf-8", "public, max-age=3600")

// Module is the script of package web. Clients always ask whether theirs is the
// server's: a page must not talk to a newer server by an older script.
var Module = newDocument(web.Module, "text/javascript; charset=utf-8", "no-cache")

func newDocument(text, kind, cache string) Document {
	digest := sha256.Sum256([]byte(text))
	return Document{text, kind, cache, `"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`}
}
