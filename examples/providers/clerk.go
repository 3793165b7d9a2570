package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// clerk accepts the session tokens that pages of two origins have obtained from Clerk.
func clerk() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:           "https://clerk.example.com",
		AudienceClaim:  "azp", // session tokens have no aud
		Audience:       "https://app.example.com",
		OtherAudiences: []string{"http://localhost:3000"},
		RoleClaims:     []string{"/o/rol", "org_role"}, // of tokens of version 2 and 1
		Keys:           keys.Remote{URL: "https://clerk.example.com/.well-known/jwks.json"},
	}
}
