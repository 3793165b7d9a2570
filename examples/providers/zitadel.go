package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// zitadel accepts the access tokens of one project of Zitadel.
func zitadel() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:       "https://shop-ab12cd.zitadel.cloud",
		Audience:   "344374183645413380",
		RoleClaims: []string{"urn:zitadel:iam:org:project:344374183645413380:roles"},
		Keys:       keys.Remote{},
	}
}
