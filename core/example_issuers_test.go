package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Providers put the same claims in different places. This server accepts the tokens of
// five providers beside its own.
func ExampleTrustedIssuer() {
	tenants := []string{ // of our customers
		"https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0",
		"https://login.microsoftonline.com/22222222-2222-2222-2222-222222222222/v2.0",
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(secret),
		Trusted: []jwtgate.TrustedIssuer{{
			// Keycloak
			Name:            "https://keycloak.example.com/realms/shop",
			Keys:            keys.Remote{},
			RoleClaims:      []string{"/realm_access/roles", "/resource_access/shop/roles"},
			OptionalSubject: true, // lightweight tokens have none
		}, {
			// Amazon Cognito has no aud in access tokens.
			Name:          "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example",
			Keys:          keys.Remote{},
			AudienceClaim: "client_id",
			Audience:      "web client", OtherAudiences: []string{"mobile client"},
			RoleClaims: []string{"cognito:groups"},
		}, {
			// Microsoft Entra ID
			Match:        func(iss string) bool { return slices.Contains(tenants, iss) },
			Keys:         keys.Remote{URL: "https://login.microsoftonline.com/common/discovery/v2.0/keys"},
			SubjectClaim: "oid",
		}, {
			// Google has no access tokens for other APIs than its own.
			Name:           "https://accounts.google.com",
			Keys:           keys.Remote{},
			AcceptIDTokens: true,
			Audience:       "our-client.apps.googleusercontent.com",
		}, {
			// Kubernetes service accounts
			Name:        "https://kubernetes.default.svc.cluster.local",
			Keys:        keys.Remote{},
			MaxLifetime: 365 * 24 * time.Hour,
			ClockSkew:   5 * time.Second,
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()
	fmt.Println("ready")
	// Output: ready
}

// A proxy in front of this server signs users in, and pages open WebSockets.
func ExampleTokenHeader() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:            "https://team.cloudflareaccess.com",
		Audience:          "the application's audience tag",
		Keys:              keys.HS256(secret), // in production keys.Remote{URL: "https://team.cloudflareaccess.com/cdn-cgi/access/certs"}
		TokenHeaders:      []jwtgate.TokenHeader{{Name: "Cf-Access-Jwt-Assertion"}},
		WebSocketProtocol: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := auth.Issue(context.Background(), jwtgate.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, header := range []http.Header{
		{"Cf-Access-Jwt-Assertion": {token.Token}},
		{"Upgrade": {"websocket"}, "Sec-Websocket-Protocol": {"chat, jwtgate.bearer." + token.Token}},
	} {
		d := auth.Decide(context.Background(), jwtgate.Request{Method: http.MethodGet, Header: header})
		fmt.Println(d.Identity.Subject())
	}
	// Output:
	// alice
	// alice
}
