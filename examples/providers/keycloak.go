package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// keycloak accepts the access tokens of a realm of Keycloak for the client shop-api.
func keycloak() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:       "https://sso.example.com/realms/shop",
		Audience:   "shop-api",
		RoleClaims: []string{"/realm_access/roles", "/resource_access/shop-api/roles"},
		Keys:       keys.Remote{},
	}
}

// keycloakLightweight also accepts lightweight access tokens, which can lack sub.
func keycloakLightweight() jwtgate.TrustedIssuer {
	issuer := keycloak()
	issuer.OptionalSubject = true
	return issuer
}

// keycloakCompose is for a Keycloak that browsers reach at localhost, and that this
// server reaches at keycloak, over plain HTTP.
func keycloakCompose() jwtgate.TrustedIssuer {
	issuer := keycloak()
	issuer.Name = "http://localhost:8080/realms/shop"
	issuer.Keys = keys.Remote{URL: "http://keycloak:8080/realms/shop/protocol/openid-connect/certs", InsecureHTTP: true}
	return issuer
}
