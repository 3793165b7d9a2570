package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// entra accepts the access tokens of one tenant of Microsoft Entra ID.
func entra() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:         "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0",
		Audience:     "33333333-3333-3333-3333-333333333333",
		SubjectClaim: "oid", // sub differs between applications
		Keys:         keys.Remote{},
	}
}

// entraV1 accepts the access tokens of version 1.0 of the same tenant.
func entraV1() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:         "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
		Audience:     "api://33333333-3333-3333-3333-333333333333",
		SubjectClaim: "oid",
		Keys:         keys.Remote{DiscoveryURL: "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/.well-known/openid-configuration"},
	}
}
