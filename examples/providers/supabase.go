package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// supabase accepts the access tokens of a Supabase project that moves from its legacy
// JWT secret to signing keys.
func supabase(legacySecret []byte) jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:       "https://abcdefgh.supabase.co/auth/v1",
		Audience:   "authenticated",
		RoleClaims: []string{"role", "/app_metadata/roles"},
		Keys: keys.Sources{
			keys.Remote{URL: "https://abcdefgh.supabase.co/auth/v1/.well-known/jwks.json"},
			keys.HS256(legacySecret),
		},
	}
}
