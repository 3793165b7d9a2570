package core

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// Who looked for a key before a fetch came home, and asks for one after that,
// looks again first: many do when the first keys arrive.
func TestSeekAfterFetch(t *testing.T) {
	t.Parallel()
	fetches := 0
	keys := RemoteKeys{URL: "https://idp.example/keys", Transport: transport(func(*http.Request) (*http.Response, error) {
		fetches++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(
			`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))}, nil
	})}
	source, problems := keys.open(&Auth{config: Config{Logger: slog.New(slog.DiscardHandler)}}, "https://idp.example")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	remote := source.(*remoteSource)
	defer remote.close()
	for range 3 {
		if err := remote.seek(t.Context(), noKeys); err != nil || fetches != 1 || remote.held() == noKeys {
			t.Fatalf("got %d fetches and error %v, want one, and its keys", fetches, err)
		}
	}
}
