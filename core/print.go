package jwtgate

import (
	"fmt"
	"log/slog"
)

// These methods keep package fmt, with every verb, and package log/slog from printing
// secrets and tokens.

// Format prints a description of c without its keys, for every verb.
func (c SessionConfig) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "jwtgate.SessionConfig with %d keys", len(c.Keys))
}

// LogValue returns what Format prints.
func (c SessionConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Format prints a description of a without its keys, for every verb. Package fmt
// would otherwise read, without locks, what a changes in the background.
func (a *Auth) Format(f fmt.State, _ rune) {
	if a == nil {
		_, _ = fmt.Fprint(f, "nil *jwtgate.Auth")
		return
	}
	_, _ = fmt.Fprintf(f, "jwtgate.Auth of the issuer %q", a.config.Issuer)
}

// Format prints a description of t without the tokens, for every verb.
func (t Tokens) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "jwtgate.Tokens of the session %q", t.SessionID)
}

// LogValue returns what Format prints.
func (t Tokens) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }

// Format prints a description of t without the token, for every verb.
func (t AccessToken) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "jwtgate.AccessToken for %v", t.TTL)
}

// LogValue returns what Format prints.
func (t AccessToken) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }
