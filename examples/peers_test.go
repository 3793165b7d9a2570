package examples

import (
	"strings"
	"testing"
)

// TestVerifiedElsewhere has Node's jose verify tokens of each server by the keys
// that it publishes.
func TestVerifiedElsewhere(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			for _, p := range startAll(t, "JWT_ALG="+alg) {
				alice, bob := login(t, p, alice), login(t, p, bob)
				verify := peer(t, "verify.mjs", p.url+"/.well-known/jwks.json", "https://auth.example.test", "https://api.example.test", alice, bob)
				out, err := verify.CombinedOutput()
				if got := strings.Fields(string(out)); err != nil || strings.Join(got, " ") != "alice bob" {
					t.Errorf("%s: got %v\n%s", p.name, err, out)
				}
			}
		})
	}
}
