package examples

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestVerifiedElsewhere checks that other JOSE libraries of Node and Go can verify
// the tokens of each server with the keys that the server publishes.
func TestVerifiedElsewhere(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			for _, p := range startAll(t, "JWT_ALG="+alg) {
				alice, bob := login(t, p, alice), login(t, p, bob)
				verify := peer(t, "verify.mjs", p.url+"/.well-known/jwks.json", "https://auth.example.test", "https://api.example.test", alice, bob)
				out, err := verify.CombinedOutput()
				if got := strings.Fields(string(out)); err != nil || strings.Join(got, " ") != "alice bob" {
					t.Errorf("%s: got %v\n%s\nwant alice and bob", p.name, err, out)
				}
				set := p.send(t, "GET", "/.well-known/jwks.json", "").body
				for library, verify := range inGo {
					if got, err := verify(alg, alice, set); err != nil || got != "alice" {
						t.Errorf("%s, %s: got %q, %v; want alice", p.name, library, got, err)
					}
					if _, err := verify(alg, alice[:len(alice)-8]+"AAAAAAAA", set); err == nil {
						t.Errorf("%s, %s: a forged token was accepted", p.name, library)
					}
				}
			}
		})
	}
}

// TestAxios checks that axios-auth-refresh, an interceptor that many pages use,
// works over several lifetimes of an access token. It sends concurrent refreshes.
func TestAxios(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=4s") { // longer than a busy machine delays a request
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			out, err := peer(t, "axios.mjs", p.url, "30", "3").CombinedOutput()
			var got struct {
				Succeeded, Renewed int
				Failures           []string
			}
			if err != nil || json.Unmarshal(out, &got) != nil || got.Succeeded == 0 || got.Renewed < 3 || len(got.Failures) > 0 {
				t.Errorf("%v\n%.2000s", err, out)
			}
			t.Logf("%d requests, %d refreshes", got.Succeeded, got.Renewed)
		})
	}
}
