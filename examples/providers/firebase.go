package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// firebase accepts the ID tokens of a Firebase project.
func firebase() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:           "https://securetoken.google.com/shop-1234",
		AcceptIDTokens: true, // Firebase issues nothing else
		Audience:       "shop-1234",
		Keys:           keys.Remote{},
	}
}
