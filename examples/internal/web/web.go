// Package web contains jwtgate.js, a script for pages that store their tokens
// themselves. To use the script, copy that file; it needs no other.
package web

import _ "embed" // for Module

// Module is the text of jwtgate.js, an ES module without imports.
//
//go:embed jwtgate.js
var Module string
