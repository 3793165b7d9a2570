package jwtclient

import (
	"fmt"
	"log/slog"
)

// These methods keep package fmt, with every verb, and package log/slog from printing
// tokens.

// Format prints a description of t without the tokens, for every verb.
func (t Tokens) Format(f fmt.State, _ rune) {
	if t.Expires.IsZero() {
		_, _ = fmt.Fprint(f, "jwtclient.Tokens")
		return
	}
	_, _ = fmt.Fprintf(f, "jwtclient.Tokens until %v", t.Expires.Round(0))
}

// LogValue returns what Format prints.
func (t Tokens) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }

// Format prints a description of t without its tokens, for every verb.
func (t *Transport) Format(f fmt.State, _ rune) {
	if t == nil {
		_, _ = fmt.Fprint(f, "jwtclient.Transport(nil)")
		return
	}
	_, _ = fmt.Fprintf(f, "jwtclient.Transport for %v", t.origins)
}

// LogValue returns what Format prints.
func (t *Transport) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }
