package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// google accepts the ID tokens that Google issues to clients of yours.
func google() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:           "https://accounts.google.com",
		AcceptIDTokens: true, // Google's access tokens are not JWTs
		Audience:       "1234-web.apps.googleusercontent.com",
		OtherAudiences: []string{"1234-ios.apps.googleusercontent.com"},
		Keys:           keys.Remote{},
	}
}
