package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// auth0 accepts the access tokens of an Auth0 tenant for one API.
func auth0() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:       "https://shop.eu.auth0.com/", // with the slash at the end
		Audience:   "https://api.example.com",
		RoleClaims: []string{"https://example.com/roles"},
		Keys:       keys.Remote{},
	}
}
