// Package session has sign-in sessions without HTTP: the rule by which refresh
// tokens are rotated, the refresh tokens, and the stores of sessions.
//
// A session is one [Record]. A refresh token has the ID of the session, a
// nonce, and a generation number, and a MAC over all of them. The record has
// the generation of the current token. [Step] compares the two generations, and
// decides what happens. It is a pure function: every [Store] applies it, or a
// port of it, atomically.
//
// Nobody can make a token from the data of a store. A record has only a hash of
// the nonce, and stores do not have the keys of the MAC.
package session
