package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// withProviders configures a server that signs in users itself, with secret, and also
// accepts the tokens of providers.
func withProviders(secret []byte, providers ...jwtgate.TrustedIssuer) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://api.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(secret),
		Trusted:  providers,
	}
}
