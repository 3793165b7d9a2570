package main

import (
	"context"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// withProvider returns a client whose tokens come from an identity provider, by the
// client credentials grant (RFC 6749 §4.4). It gets a new token shortly before the old
// one expires. Parameters such as resource (RFC 8707), or audience at Auth0, name the API.
func withProvider(ctx context.Context, tokenURL, clientID, secret string) *http.Client {
	config := clientcredentials.Config{
		ClientID:       clientID,
		ClientSecret:   secret,
		TokenURL:       tokenURL,
		Scopes:         []string{"invoices:read"},
		EndpointParams: url.Values{"resource": {audience}},
	}
	return onlyHere(config.Client(ctx))
}

// withOwnKey returns a client whose tokens are issued by auth in this process. Only a
// service that has the signing key can do this.
func withOwnKey(ctx context.Context, auth *jwtgate.Auth, service string) *http.Client {
	return onlyHere(oauth2.NewClient(ctx, oauth2.ReuseTokenSource(nil, issuer{auth, service})))
}

// An issuer is an [oauth2.TokenSource].
type issuer struct {
	auth    *jwtgate.Auth
	service string
}

// Token returns a new token for the service.
func (i issuer) Token() (*oauth2.Token, error) {
	token, err := i.auth.Issue(context.Background(), jwtgate.Grant{Subject: "service:" + i.service, Scopes: []string{"invoices:read"}})
	return &oauth2.Token{AccessToken: token.Token, Expiry: token.Expires}, err
}

// withAccount returns a client that signs in with the name and the password of a service
// account at a server with [jwtgate.Auth.Token]. It keeps the session by refreshes.
func withAccount(ctx context.Context, origin, name, password string) (*http.Client, error) {
	transport, err := jwtclient.New(jwtclient.Config{Origin: origin})
	if err != nil {
		return nil, err
	}
	if err := transport.SignIn(ctx, name, password); err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, nil
}

// onlyHere keeps client from following redirects, because it would send the token to the
// host that a redirect leads to. The Transport of package jwtclient needs no such care.
func onlyHere(client *http.Client) *http.Client {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}
