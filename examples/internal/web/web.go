// Package web has the script for pages that hold their tokens themselves.
package web

import _ "embed" // for Module

// Module is jwtgate.js, an ES module that imports nothing.
//
//go:embed jwtgate.js
var Module string
