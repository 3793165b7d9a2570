// Package session has sign-in sessions without HTTP: the rule by which refresh
// tokens are rotated, the interface of session stores, and a store in memory.
//
// A session is one [Record]. A refresh token consists of the ID of the session,
// a nonce, a generation number, and a MAC over all of them. The record has the
// generation of the current token. [Step] compares the two generations, and
// decides what happens. The record also says whether the current generation was
// used: until then, its token may not have reached the client, and the token
// before is accepted. [Store.Confirm] reports uses of access tokens. It is a pure function: every [Store] applies it, or a
// port of it, atomically.
//
// The data of a store is not enough to make a refresh token. A record has only
// a hash of the nonce, and stores do not have the keys of the MAC.
package session
