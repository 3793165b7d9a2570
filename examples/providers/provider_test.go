package providers

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A provider is a fake identity provider. Its JWK Set and its tokens have the form that
// the documentation of the real provider shows. All values are JSON objects.
type provider struct {
	metadata     string   // the address of the metadata document, empty if the configuration does without
	jwks         string   // the address of the JWK Set
	cacheControl string   // of the JWK Set
	jwk          []string // the JWKs, without the numbers of the key
	secret       []byte   // for tokens with HS256
	header       string   // of a token
	claims       string   // of a token
	field        string   // the header field for tokens, if not Authorization

	server *httptest.Server
}

// start makes p serve its documents until the test ends.
func (p *provider) start(t *testing.T) {
	t.Helper()
	p.server = httptest.NewUnstartedServer(p)
	p.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if strings.HasPrefix(p.jwks, "https:") {
		p.server.StartTLS()
	} else {
		p.server.Start()
	}
	t.Cleanup(p.server.Close)
}

// ServeHTTP serves the documents at their addresses, whose hosts are not those of the
// listener.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, _, _ := strings.Cut(p.jwks, ":")
	switch scheme + "://" + r.Host + r.URL.Path {
	case p.metadata:
		w.Header().Set("Content-Type", "application/json")
		answer(w, map[string]any{
			"issuer":                                object(p.claims)["iss"],
			"jwks_uri":                              p.jwks,
			"response_types_supported":              []string{"code"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case p.jwks:
		if p.cacheControl != "" {
			w.Header().Set("Cache-Control", p.cacheControl)
		}
		w.Header().Set("Content-Type", "application/json")
		set := map[string]any{"public_cert": nil} // sets have other members, too
		var jwks []any
		for i, text := range p.jwk {
			jwks = append(jwks, withNumbers(object(text), signer(text, i).Public()))
		}
		set["keys"] = jwks
		answer(w, set)
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, document any) { _ = json.NewEncoder(w).Encode(document) }

// reach returns source with all requests sent to p, whatever their host is. A transport
// of source keeps the certificates that it trusts.
func (p *provider) reach(source keys.Source) keys.Source {
	switch source := source.(type) {
	case keys.Remote:
		transport, ok := source.Transport.(*http.Transport)
		if !ok {
			transport = p.server.Client().Transport.(*http.Transport)
		}
		transport = transport.Clone()
		if transport.TLSClientConfig != nil {
			transport.TLSClientConfig.ServerName = "example.com" // which the test certificate is for
		}
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.server.Listener.Addr().String())
		}
		source.Transport = transport
		return source
	case keys.Sources:
		reached := make(keys.Sources, len(source))
		for i := range source {
			reached[i] = p.reach(source[i])
		}
		return reached
	}
	return source
}

// ca returns the certificate authority of p.
func (p *provider) ca() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.server.Certificate())
	return pool
}

// sign returns a token of p with changes to its header and its claims. It is signed by
// the key with the kid in the header, or else by the first one.
func (p *provider) sign(t *testing.T, header, claims string) string {
	t.Helper()
	changed := object(p.header, header)
	var key any = signer(p.jwk[0], 0)
	for i, text := range p.jwk {
		if object(text)["kid"] == changed["kid"] {
			key = signer(text, i)
		}
	}
	if changed["alg"] == "HS256" {
		key = p.secret
	}
	return p.signWith(t, key, header, claims)
}

// signWith returns the same token, signed by key.
func (p *provider) signWith(t *testing.T, key any, header, claims string) string {
	t.Helper()
	changed := object(p.header, header)
	return jwtgatetest.Sign(t, changed["alg"].(string), key, encode(changed), encode(object(p.claims, claims)))
}

// object returns the JSON object in document with changes, as far as they are not
// empty. A change replaces members, and removes those that it has as null (RFC 7396).
func object(document string, changes ...string) map[string]any {
	var merged map[string]any
	for _, part := range append([]string{document}, changes...) {
		if part == "" {
			continue
		}
		var members map[string]any
		decoder := json.NewDecoder(strings.NewReader(part))
		decoder.UseNumber()
		if err := decoder.Decode(&members); err != nil {
			panic("not a JSON object: " + part)
		}
		if merged == nil {
			merged = members
			continue
		}
		for name, value := range members {
			merged[name] = value
			if value == nil {
				delete(merged, name)
			}
		}
	}
	return merged
}

// encode returns object as JSON.
func encode(object map[string]any) string {
	encoded, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// withNumbers returns jwk with the numbers of the public key (RFC 7518 §6).
func withNumbers(jwk map[string]any, public crypto.PublicKey) map[string]any {
	number := base64.RawURLEncoding.EncodeToString
	switch public := public.(type) {
	case *rsa.PublicKey:
		jwk["n"], jwk["e"] = number(public.N.Bytes()), number(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		jwk["x"], jwk["y"] = number(point[1:33]), number(point[33:])
	}
	return jwk
}

// signer returns the private key for the JWK in text at the given index of a set.
func signer(text string, index int) crypto.Signer {
	if object(text)["kty"] == "EC" {
		return ecKey()
	}
	return rsaKeys()[index]
}

// stranger returns a key that no provider has.
func stranger(alg string) crypto.Signer {
	if alg == "ES256" {
		return otherECKey()
	}
	return rsaKeys()[2]
}

// All providers share these keys, because making one takes a while.
var (
	rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
		var made []*rsa.PrivateKey
		for range 3 {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				panic(err)
			}
			made = append(made, key)
		}
		return made
	})
	ecKey, otherECKey = sync.OnceValue(newECKey), sync.OnceValue(newECKey)
)

func newECKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}
