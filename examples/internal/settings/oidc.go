package settings

import jwtgate "github.com/jwtgate/jwtgate/core"

// trusted returns the OpenID Connect issuer whose access tokens are accepted
// too, if there is one. It is found when its first token comes, so that the
// server starts, and serves its own users, while the issuer is down.
func (e *environment) trusted() []jwtgate.Issuer {
	name, audience := e.get("OIDC_ISSUER"), e.get("OIDC_AUDIENCE")
	if name == "" {
		if audience != "" {
			e.wrong("OIDC_AUDIENCE", "is the audience of an issuer that is not named: set OIDC_ISSUER too, or leave it unset")
		}
		return nil
	}
	// Without an audience of their own, its tokens must have that of ours.
	return []jwtgate.Issuer{{Name: name, Audience: audience, Keys: jwtgate.RemoteKeys{}}}
}
