package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// cognito accepts the access tokens that two app clients of a user pool of Amazon
// Cognito have obtained.
func cognito() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:           "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
		AudienceClaim:  "client_id", // access tokens have no aud
		Audience:       "1webclient",
		OtherAudiences: []string{"2mobileclient"},
		RoleClaims:     []string{"cognito:groups"},
		Keys:           keys.Remote{},
	}
}
