// Package session has sign-in sessions without HTTP: the rule by which refresh
// tokens rotate, the tokens themselves, and the stores that keep sessions.
//
// A session is one record. Its refresh token names the record, proves with a
// MAC that it is ours to the last bit, and has a generation number; the record
// has the number of the current one. [Step] compares the two and says what
// follows. It is pure: every [Store] applies it, or a port of it, atomically.
//
// Nothing that a store keeps can be turned into a token: the record has only a
// hash of the session's nonce, and tokens are made under a key that no store sees.
package session
