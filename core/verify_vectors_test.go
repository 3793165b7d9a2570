package jwtgate_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/keys"
)

// TestVectors verifies tokens that other implementations have made, and tokens that were
// changed in ways that other implementations accept. The script vectors/make in .ci made
// them.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %q, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []struct {
			Alg    string
			JWK    json.RawMessage
			Tokens []struct {
				Name, Token string
				Accept      bool
			}
		}
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, group := range groups {
			auth := newVerifier(t, vectorKeys(t, group.Alg, group.JWK))
			t.Cleanup(auth.Close)
			for _, row := range group.Tokens {
				d := auth.Decide(t.Context(), withBearer(row.Token))
				switch {
				case row.Accept && d.Refusal != nil:
					t.Errorf("%s, %s, %s: got refusal %v; want none", name, group.Alg, row.Name, d.Refusal)
				case !row.Accept && (d.Refusal == nil || d.Refusal.Status >= 500):
					t.Errorf("%s, %s, %s: got refusal %v; want one of the token", name, group.Alg, row.Name, d.Refusal)
				}
			}
		}
	}
}

// otherJWK is a key of RFC 7517 §A.1. With it, a set whose other key cannot be used is not
// empty.
const otherJWK = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"other"}`

// vectorKeys returns the key in a JWK. A public key is read as the key set of an issuer.
func vectorKeys(t *testing.T, alg string, jwk json.RawMessage) keys.Source {
	t.Helper()
	var symmetric struct{ K string }
	if err := json.Unmarshal(jwk, &symmetric); err != nil {
		t.Fatal(err)
	}
	if symmetric.K == "" {
		return keys.Remote{URL: issuer + "/keys", Transport: answer(`{"keys":[` + string(jwk) + "," + otherJWK + `]}`)}
	}
	secret, err := base64.RawURLEncoding.DecodeString(symmetric.K)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func([]byte) keys.Key{"HS256": keys.HS256, "HS384": keys.HS384, "HS512": keys.HS512}[alg](secret)
}

// An answer is a transport that answers every request with a text.
type answer string

func (a answer) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a))), Request: req}, nil
}
