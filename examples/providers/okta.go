package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// okta accepts the access tokens of a custom authorization server of Okta.
func okta() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:         "https://shop.okta.com/oauth2/default",
		Audience:     "api://default",
		SubjectClaim: "uid", // sub is the login name, which can change
		RoleClaims:   []string{"groups"},
		Keys:         keys.Remote{},
	}
}
