package settings

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// trusted returns the OpenID Connect issuer whose access tokens the server also
// accepts, if one is configured. Its keys are fetched when its first token or a
// request for readiness arrives, so the server starts and serves its own users while
// the issuer is down, but it is not ready.
func (e *environment) trusted() []jwtgate.TrustedIssuer {
	name, audience := e.get("OIDC_ISSUER"), e.get("OIDC_AUDIENCE")
	if name == "" {
		if audience != "" {
			e.wrong("OIDC_AUDIENCE", "is %q, but OIDC_ISSUER is not set: set OIDC_ISSUER too, or unset OIDC_AUDIENCE", audience)
		}
		return nil
	}
	// If audience is empty, the issuer's tokens must name JWT_AUDIENCE.
	return []jwtgate.TrustedIssuer{{Name: name, Audience: audience, Keys: keys.Remote{}, Required: true}}
}
