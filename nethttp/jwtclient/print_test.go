package jwtclient_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestPrint checks that no verb of package fmt and no logger prints a token.
func TestPrint(t *testing.T) {
	t.Parallel()
	stored := jwtclient.Tokens{Access: "secret-access-token", Refresh: "secret-refresh-token", Expires: time.Now().Add(time.Hour)}
	transport, err := jwtclient.New(jwtclient.Config{Origin: home})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.SetTokens(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{
		stored, &stored, []jwtclient.Tokens{stored}, map[string]jwtclient.Tokens{"a": stored}, jwtclient.Tokens{},
		transport, http.Client{Transport: transport}, &http.Client{Transport: transport}, (*jwtclient.Transport)(nil),
	} {
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% X", "%d", "%T", "%t", "%100v"} {
			_, _ = fmt.Fprintf(&printed, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&printed, nil)).Info("text", "value", value)
		if _, own := value.(slog.LogValuer); own { // package json encodes all others
			slog.New(slog.NewJSONHandler(&printed, nil)).Info("json", "value", value)
		}
		for _, form := range []string{"secret", fmt.Sprintf("%x", "secret"), fmt.Sprintf("% X", "secret"), strings.Trim(fmt.Sprint([]byte("secret")), "[]")} {
			if strings.Contains(printed.String(), form) {
				t.Errorf("%T: got a token in %s", value, printed.String())
			}
		}
	}
	for _, row := range []struct {
		value any
		want  string
	}{
		{(*jwtclient.Transport)(nil), "jwtclient.Transport(nil)"},
		{transport, "jwtclient.Transport for [{https api.example.com 443}]"},
		{jwtclient.Tokens{Access: "a"}, "jwtclient.Tokens"},
		{jwtclient.Tokens{Access: "a", Expires: time.Unix(0, 0).UTC()}, "jwtclient.Tokens until 1970-01-01 00:00:00 +0000 UTC"},
	} {
		if got := fmt.Sprint(row.value); got != row.want {
			t.Errorf("got %q; want %q", got, row.want)
		}
	}
}
