package providers

import (
	"slices"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// entraTenants accepts the access tokens of the listed tenants of Microsoft Entra ID.
func entraTenants(tenants ...string) jwtgate.TrustedIssuer {
	var issuers []string
	for _, tenant := range tenants {
		issuers = append(issuers, "https://login.microsoftonline.com/"+tenant+"/v2.0")
	}
	return jwtgate.TrustedIssuer{
		Match:        func(iss string) bool { return slices.Contains(issuers, iss) },
		Audience:     "33333333-3333-3333-3333-333333333333",
		SubjectClaim: "oid",
		Keys:         keys.Remote{URL: "https://login.microsoftonline.com/common/discovery/v2.0/keys"},
	}
}
