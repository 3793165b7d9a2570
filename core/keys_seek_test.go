package jwtgate

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/keys"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// A request that looked for a key before the first fetch ended, and asks for it just
// after that, must look again and start no other fetch.
func TestKeysFetchedInTheMeantime(t *testing.T) {
	t.Parallel()
	const name = "https://idp.example"
	issuer, err := New(Config{Issuer: name, Audience: "api", Keys: keys.EdDSA(ed25519.NewKeyFromSeed(make([]byte, 32)))})
	if err != nil {
		t.Fatal(err)
	}
	set := string(issuer.JWKS(t.Context(), Request{Method: http.MethodGet}).Body)
	access, err := issuer.Issue(t.Context(), Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	fetches := 0
	auth, err := New(Config{Issuer: name, Audience: "api", Keys: keys.Remote{URL: name + "/keys", Transport: transport(func(*http.Request) (*http.Response, error) {
		fetches++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(set))}, nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	remote := auth.issuers[0].remote
	none := remote.Current()
	for range 3 {
		if err := remote.Seek(t.Context(), none); err != nil || fetches != 1 || remote.Current() == none {
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
	key, err := auth.findKey(t.Context(), &token, signature, auth.config.Now())
	if err != nil || key.issuer == nil {
		t.Errorf("got no key and error %v, want that of the issuer", err)
	}
	if fetches != 1 {
		t.Errorf("got %d fetches, want one", fetches)
	}
}
