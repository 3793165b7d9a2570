// Package content contains the documents that the example servers serve.
package content

import (
	"crypto/sha256"
	_ "embed" // for Home
	"encoding/base64"
	"regexp"
)

// Home is the HTML of the demo page, served at "/".
//
//go:embed home.html
var Home []byte

// HomeHeader are the header fields of Home. The page may run its own script and
// scripts of its server, and send requests to that server. Anything else is
// blocked, even if an attacker injects content into the page.
var HomeHeader = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self' " + hashOf("script") + "; style-src " + hashOf("style") +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy":        "no-referrer",
}

// hashOf returns the source expression that allows only the content of the
// element of Home with that name (CSP Level 3 §2.3.1).
func hashOf(element string) string {
	text := regexp.MustCompile(`(?s)<` + element + `>(.*?)</` + element + `>`).FindSubmatch(Home)[1]
	digest := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
}

// A Document is a text that clients may cache and revalidate.
type Document struct {
	Text  string
	Type  string // Content-Type
	Cache string // Cache-Control
	ETag  string // the entity tag (RFC 9110 §8.8.3)
}

// Report seldom changes, so clients may cache it for an hour.
var Report = newDocument("This report is the same for every user.\n", "text/plain; charset=utf-8", "public, max-age=3600")

func newDocument(text, kind, cache string) Document {
	digest := sha256.Sum256([]byte(text))
	return Document{text, kind, cache, `"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`}
}
