package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// discoveredFor is how long the address in a metadata document is used, as long
// as keys are found there.
const discoveredFor = 24 * time.Hour

var (
	errMetadata  = errors.New("keys: the metadata document is not a JSON object")
	errOtherName = errors.New("keys: the issuer in the metadata document is not the configured one")
	errJWKSURI   = errors.New("keys: the jwks_uri of the metadata document")
	errNameQuery = errors.New("has a query, which an issuer must not have (RFC 8414 §2)")
)

// discovery finds where an issuer publishes its keys (OpenID Connect Discovery
// 1.0 §4, RFC 8414 §3).
type discovery struct {
	issuer   string
	address  string // the address of its metadata document
	insecure bool   // the keys may be fetched over plain HTTP

	jwksURI string    // from the document, empty if the document must be fetched
	at      time.Time // when the document was fetched
}

// newDiscovery returns the discovery for issuer, or why its name cannot be used.
func newDiscovery(issuer string, insecure bool) (*discovery, error) {
	u, err := parseURL(issuer, insecure)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, errNameQuery
	}
	// OpenID Connect Discovery 1.0 §4.1: a slash at the end is removed first.
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	return &discovery{issuer: issuer, address: address, insecure: insecure}, nil
}

// find returns the address of the JWK Set.
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
	// RFC 8414 §3.3: a document with another name belongs to another issuer.
	if metadata["issuer"] != d.issuer {
		return "", fmt.Errorf("%w: it is %.200q instead of %q", errOtherName, metadata["issuer"], d.issuer)
	}
	uri, err := parseURL(metadata["jwks_uri"], d.insecure)
	if err != nil {
		return "", fmt.Errorf("%w %w", errJWKSURI, err)
	}
	// A document from elsewhere must not lead to a port of this machine.
	if isLoopback(uri) && strings.HasPrefix(d.address, "https:") && !d.insecure {
		return "", fmt.Errorf("%w %w", errJWKSURI, errScheme)
	}
	d.jwksURI, d.at = metadata["jwks_uri"], time.Now()
	return d.jwksURI, nil
}

// forget makes the next find fetch the document again, because the keys may have moved.
func (d *discovery) forget() { d.jwksURI = "" }
