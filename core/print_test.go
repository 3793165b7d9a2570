package jwtgate_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestPrint checks that no verb of package fmt and no logger prints a secret or a token.
func TestPrint(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Keys = keys.HS256(signingSecret) })
	tokens := s.signIn("alice")
	sessions := jwtgate.SessionConfig{Keys: [][]byte{refreshSecret}}
	config := jwtgate.Config{Keys: keys.HS256(signingSecret), Sessions: &sessions}
	secrets := []string{string(signingSecret), string(refreshSecret), tokens.Access.Token, tokens.Refresh}
	for _, value := range []any{
		sessions, &sessions, []any{sessions}, struct{ C jwtgate.SessionConfig }{sessions},
		config, &config,
		tokens, &tokens, []jwtgate.Tokens{tokens}, map[string]jwtgate.Tokens{"a": tokens},
		tokens.Access, &tokens.Access,
		s.Auth,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% X", "%d", "%T", "%t", "%100v"} {
			checkPrinted(t, fmt.Sprintf("%T with %s", value, verb), fmt.Sprintf(verb, value), secrets)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", value)
		if _, own := value.(slog.LogValuer); own { // package json encodes all others
			slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", value)
		}
		checkPrinted(t, fmt.Sprintf("%T in the log", value), log.String(), secrets)
	}
	if got := s.HeldSessionKeys(); got != 0 {
		t.Errorf("got %d keys of the SessionConfig held; want none", got)
	}
	for _, row := range []struct {
		value any
		want  string
	}{
		{s.Auth, `jwtgate.Auth of the issuer "` + serverIssuer + `"`},
		{(*jwtgate.Auth)(nil), "nil *jwtgate.Auth"},
		{sessions, "jwtgate.SessionConfig with 1 keys"},
		{tokens, `jwtgate.Tokens of the session "` + tokens.SessionID + `"`},
		{tokens.Access, "jwtgate.AccessToken for 15m0s"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, row.value); got != row.want {
				t.Errorf("%T with %s: got %q; want %q", row.value, verb, got, row.want)
			}
		}
	}
}

// checkPrinted checks that text has none of secrets, in any of the forms that package
// fmt gives to a string.
func checkPrinted(t *testing.T, what, text string, secrets []string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, secret := range secrets {
		part := secret[:12]
		for _, form := range []string{part, fmt.Sprintf("%x", part), fmt.Sprintf("% x", part), strings.Trim(fmt.Sprint([]byte(part)), "[]")} {
			if strings.Contains(text, strings.ToLower(form)) {
				t.Errorf("%s prints a secret: %.200s", what, text)
			}
		}
	}
}
