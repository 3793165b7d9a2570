// Package content has the documents that the example servers serve.
package content

import (
	"crypto/sha256"
	_ "embed" // for Home
	"encoding/base64"
	"regexp"
)

// Home is the page at "/", in HTML.
//
//go:embed home.html
var Home []byte

// HomeHeader is what Home is sent with: the page may run its own script, ask its
// own server, and do nothing else, whatever should get into it.
var HomeHeader = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src " + hashOf("script") + "; style-src " + hashOf("style") +
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

// Report is a text that seldom changes: clients may keep it.
const Report = "All gates are shut, and everyone inside came with a token.\n"

// ReportCache is the Cache-Control of Report.
const ReportCache = "public, max-age=3600"

// ReportETag is the entity tag of Report (RFC 9110 §8.8.3).
var ReportETag = func() string {
	digest := sha256.Sum256([]byte(Report))
	return `"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`
}()
