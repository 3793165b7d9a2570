// Package content has the documents that the example servers serve.
package content

import (
	"crypto/sha256"
	_ "embed" // for Home
	"encoding/base64"
)

// Home is the page at "/", in HTML.
//
//go:embed home.html
var Home []byte

// Report is a text that seldom changes: clients may keep it.
const Report = "All gates are shut, and everyone inside came with a token.\n"

// ReportCache is the Cache-Control of Report.
const ReportCache = "public, max-age=3600"

// ReportETag is the entity tag of Report (RFC 9110 §8.8.3).
var ReportETag = func() string {
	digest := sha256.Sum256([]byte(Report))
	return `"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`
}()
