package jwtgate

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// Many look for a key just before the first fetch comes home, and ask for one just
// after it: they must look again, and make no other fetch.
func TestKeysCameMeanwhile(t *testing.T) {
	t.Parallel()
	const name = "https://idp.example"
	issuer, err := New(Config{Issuer: name, Audience: "api", Keys: EdDSA(ed25519.NewKeyFromSeed(make([]byte, 32)))})
	if err != nil {
		t.Fatal(err)
	}
	set := string(issuer.JWKS(t.Context(), Request{Method: http.MethodGet}).Body)
	access, err := issuer.Issue(t.Context(), Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	fetches := 0
	auth, err := New(Config{Issuer: name, Audience: "api", Keys: RemoteKeys{URL: name + "/keys", Transport: transport(func(*http.Request) (*http.Response, error) {
		fetches++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(set))}, nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	remote := auth.trusted[0].remote
	for range 3 {
		if err := remote.seek(t.Context(), noKeys); err != nil || fetches != 1 || remote.held() == noKeys {
			t.Fatalf("got %d fetches and error %v, want one, and its keys", fetches, err)
		}
	}
	token, err := jose.Parse(access.Token)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := token.Signature(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		tried []*keyTable
		want  error
	}{
		{"looked before the fetch", nil, nil},
		{"looked at other keys", []*keyTable{noKeys}, nil},
		{"looked at these", []*keyTable{remote.held()}, errBadKey},
	} {
		if by, err := auth.authenticateRemote(t.Context(), &token, signature, auth.config.Now(), row.tried, errBadKey); err != row.want || (by.trust != nil) != (row.want == nil) { //nolint:errorlint // this very error
			t.Errorf("%s: got %v and error %v, want %v", row.name, by, err, row.want)
		}
	}
	if fetches != 1 {
		t.Errorf("got %d fetches, want one", fetches)
	}
}
