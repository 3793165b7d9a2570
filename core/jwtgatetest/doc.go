// Package jwtgatetest has what tests of authentication need: tokens, a clock, and
// the suites that every adapter and every session store must pass. It is for
// this project's tests and for those of applications built on it.
package jwtgatetest
