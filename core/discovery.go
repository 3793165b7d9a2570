package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// discoveredFor is how long what a metadata document says is believed, as long
// as there are keys where it says.
const discoveredFor = 24 * time.Hour

var (
	errMetadata  = errors.New("jwtgate: the metadata document is not a JSON object")
	errOtherName = errors.New("jwtgate: the metadata document is of another issuer")
	errJWKSURI   = errors.New("jwtgate: the jwks_uri of the metadata document")
	errNameQuery = errors.New("has a query, which no issuer has (RFC 8414 §2)")
)

// discovery finds where an issuer publishes its keys (OpenID Connect Discovery
// 1.0 §4, RFC 8414 §3).
type discovery struct {
	issuer  string
	address string // of its metadata document

	jwksURI string    // what that said, empty if it has to be asked
	at      time.Time // when
}

// newDiscovery returns the discovery of issuer, or why there can be none.
func newDiscovery(issuer string) (*discovery, error) {
	u, err := parseURL(issuer)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, errNameQuery
	}
	// OpenID Connect Discovery 1.0 §4.1: one slash at the end is not doubled.
	return &discovery{issuer: issuer, address: strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"}, nil
}

// find returns where the JWK Set is.
func (d *discovery) find(ctx context.Context, f *fetcher) (string, error) {
	if d.jwksURI != "" && time.Since(d.at) < discoveredFor {
		return d.jwksURI, nil
	}
	text, _, err := f.get(ctx, d.address, "application/json")
	if err != nil {
		return "", err
	}
	metadata, err := jose.Strings(text)
	if err != nil {
		return "", errMetadata
	}
	// RFC 8414 §3.3: who does not say the same name is not who was asked for.
	if metadata["issuer"] != d.issuer {
		return "", errOtherName
	}
	uri, err := parseURL(metadata["jwks_uri"])
	if err != nil {
		return "", fmt.Errorf("%w %w", errJWKSURI, err)
	}
	if isLoopback(uri) && strings.HasPrefix(d.issuer, "https:") {
		return "", fmt.Errorf("%w %w", errJWKSURI, errScheme)
	}
	d.jwksURI, d.at = metadata["jwks_uri"], time.Now()
	return d.jwksURI, nil
}

// forget makes the next find ask again: the keys may have moved.
func (d *discovery) forget() { d.jwksURI = "" }
