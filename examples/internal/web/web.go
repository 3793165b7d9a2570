// Package web has the script for pages that hold their tokens themselves: copy
// jwtgate.js, which needs nothing else.
package web

import _ "embed" // for Module

// Module is jwtgate.js, an ES module that imports nothing.
//
//go:embed jwtgate.js
var Module string
