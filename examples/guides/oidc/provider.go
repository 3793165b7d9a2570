package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A provider signs users in.
type provider struct {
	oauth oauth2.Config

	// subject returns the subject of our tokens for the user that token is about. It
	// never changes and never belongs to another user, unlike an email address.
	subject func(ctx context.Context, token *oauth2.Token, nonce string) (string, error)
}

// openIDConnect returns the OpenID Connect provider called issuer, such as
// https://accounts.google.com. It finds the endpoints by discovery.
func openIDConnect(ctx context.Context, issuer, clientID, secret, callback string) (*provider, error) {
	var metadata struct {
		Issuer                string
		AuthorizationEndpoint string `json:"authorization_endpoint"`
		TokenEndpoint         string `json:"token_endpoint"`
	}
	if err := getJSON(ctx, http.DefaultClient, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &metadata); err != nil {
		return nil, err
	}
	if metadata.Issuer != issuer { // OpenID Connect Discovery §4.3
		return nil, fmt.Errorf("the provider is called %q, not %q", metadata.Issuer, issuer)
	}
	// The ID token is for this application, so its client ID is the audience. This Auth
	// guards no route.
	idTokens, err := jwtgate.New(jwtgate.Config{
		Issuer:         issuer,
		Audience:       clientID,
		Keys:           keys.Remote{},
		AcceptIDTokens: true,
	})
	if err != nil {
		return nil, err
	}
	return &provider{
		oauth: oauth2.Config{
			ClientID:     clientID,
			ClientSecret: secret,
			Endpoint:     oauth2.Endpoint{AuthURL: metadata.AuthorizationEndpoint, TokenURL: metadata.TokenEndpoint},
			RedirectURL:  callback,
			Scopes:       []string{"openid"},
		},
		subject: func(ctx context.Context, token *oauth2.Token, nonce string) (string, error) {
			return verifyIDToken(ctx, idTokens, token, nonce)
		},
	}, nil
}

// verifyIDToken returns the subject of the ID token beside token (OpenID Connect Core
// §3.1.3.7).
func verifyIDToken(ctx context.Context, idTokens *jwtgate.Auth, token *oauth2.Token, nonce string) (string, error) {
	text, _ := token.Extra("id_token").(string)
	d := idTokens.Decide(ctx, jwtgate.Request{Header: http.Header{"Authorization": {"Bearer " + text}}})
	if d.Refusal != nil {
		return "", fmt.Errorf("the ID token is refused: %w", d.Refusal)
	}
	claims, err := jwtgate.Claims[struct {
		Nonce string `json:"nonce"`
	}](d.Context)
	if err != nil {
		return "", err
	}
	if nonce == "" || claims.Nonce != nonce {
		return "", errors.New("the ID token belongs to another sign-in")
	}
	return d.Identity.Issuer() + "|" + d.Identity.Subject(), nil
}

// gitHub returns GitHub, which has OAuth 2.0 without ID tokens: its API says who the user
// is.
func gitHub(clientID, secret, callback string) *provider {
	p := &provider{oauth: oauth2.Config{ClientID: clientID, ClientSecret: secret, Endpoint: endpoints.GitHub, RedirectURL: callback}}
	p.subject = gitHubSubject(&p.oauth, "https://api.github.com/user")
	return p
}

func gitHubSubject(config *oauth2.Config, url string) func(context.Context, *oauth2.Token, string) (string, error) {
	return func(ctx context.Context, token *oauth2.Token, _ string) (string, error) {
		var user struct{ ID int64 } // a login name can be given to another user, an ID cannot
		if err := getJSON(ctx, config.Client(ctx, token), url, &user); err != nil {
			return "", err
		}
		if user.ID == 0 {
			return "", errors.New("GitHub has not said who the user is")
		}
		return "https://github.com|" + strconv.FormatInt(user.ID, 10), nil
	}
}

func getJSON(ctx context.Context, client *http.Client, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // the operator has chosen the provider
	if err != nil {
		return err
	}
	res, err := client.Do(req) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	return json.NewDecoder(http.MaxBytesReader(nil, res.Body, 1<<20)).Decode(v)
}
