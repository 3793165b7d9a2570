package jwtgate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A TokenHeader is a header field that carries an access token, for [Config.TokenHeaders].
type TokenHeader struct {
	_ [0]func()

	// Name is the name of the field, such as "Cf-Access-Jwt-Assertion". Its case does
	// not matter. Required.
	Name string

	// Scheme is the word before the token, such as "Bearer", in any case. If it is
	// empty, the token is the whole value. A field without the scheme, or without a
	// value, counts as absent.
	Scheme string

	// InsecureAnyOrigin accepts state-changing requests with the field from pages of
	// every site. Set it only if clients set the field themselves. A proxy that signs
	// users in, such as Cloudflare Access, adds the field to every request of a
	// browser, also to those that a page of another site makes it send.
	InsecureAnyOrigin bool
}

// webSocketProtocol is what precedes the token in the name of a WebSocket subprotocol.
const webSocketProtocol = "jwtgate.bearer."

var (
	errTwoFields      = errors.New("jwtgate: more than one line of a header field that carries tokens")
	errTwoCredentials = errors.New("jwtgate: the request has more than one token in its header")
	errNoProtocol     = errors.New("jwtgate: the WebSocket handshake offers no other protocol beside the token: browsers need one that the server can choose")
)

// tokenFields are the places for access tokens besides the Bearer scheme of the
// Authorization header and cookies.
type tokenFields struct {
	headers   []tokenHeader
	webSocket bool

	// For caches, in place of headerOptional and headerOptionalCookie.
	optional       []Field
	optionalCookie []Field
}

// A tokenHeader is a checked TokenHeader.
type tokenHeader struct {
	TokenHeader

	cache         []Field // in the answer to a request that is let through by this field
	optionalCache []Field // the same on an Optional route
}

// newTokenFields returns the places of config, or nil if there are none, and adds the
// mistakes in them.
func newTokenFields(config *Config, wrong *mistakes) *tokenFields {
	if len(config.TokenHeaders) == 0 && !config.WebSocketProtocol {
		return nil
	}
	fields := &tokenFields{webSocket: config.WebSocketProtocol}
	vary := []string{"Authorization", "Cookie"}
	for i, h := range config.TokenHeaders {
		h.Name = http.CanonicalHeaderKey(h.Name)
		wrong.tokenHeader(fmt.Sprintf("TokenHeaders[%d].", i), &h, fields.headers)
		fields.headers = append(fields.headers, tokenHeader{TokenHeader: h, cache: privateBy(h.Name)})
		if !slices.Contains(vary, h.Name) {
			vary = append(vary, h.Name)
		}
	}
	every := strings.Join(vary, ", ")
	fields.optional = []Field{{"Vary", every}}
	fields.optionalCookie = privateBy(every)
	for i := range fields.headers {
		fields.headers[i].optionalCache = fields.optionalCookie
	}
	return fields
}

// tokenHeader adds the mistakes in h, which comes after the headers in before.
func (m *mistakes) tokenHeader(field string, h *TokenHeader, before []tokenHeader) {
	same := func(other tokenHeader) bool {
		return other.Name == h.Name && (strings.EqualFold(other.Scheme, h.Scheme) || other.Scheme == "" || h.Scheme == "")
	}
	switch {
	case h.Name == "" || strings.ContainsFunc(h.Name, notInToken):
		m.add(field+"Name", "is %q: use the name of a header field", h.Name)
	case h.Name == "Cookie" || h.Name == "Host" || h.Name == "Sec-Websocket-Protocol":
		m.add(field+"Name", "is %s, which has another meaning: use Cookies or WebSocketProtocol, or another field", h.Name)
	case h.Name == "Authorization" && (h.Scheme == "" || strings.EqualFold(h.Scheme, "Bearer")):
		m.add(field+"Scheme", "is %q: the Authorization header with Bearer is always read; use another scheme, or another field", h.Scheme)
	case strings.ContainsFunc(h.Scheme, notInToken):
		m.add(field+"Scheme", "is %q: use one word", h.Scheme)
	case slices.ContainsFunc(before, same):
		m.add(field+"Name", "is %s, which is listed already: list each field once, or with different schemes", h.Name)
	}
}

// find adds the token that is in one of the fields of req to found, which has the
// token of the Authorization header if present is set, and reports whether there is
// one. Two tokens are an error.
func (f *tokenFields) find(req *Request, found *credential, present bool) (bool, error) {
	for i := range f.headers {
		h := &f.headers[i]
		token, has, err := h.parse(req.values(h.Name))
		switch {
		case err != nil:
			return false, err
		case has && present:
			return false, errTwoCredentials
		case has:
			present, found.access, found.header = true, token, h
		}
	}
	if f.webSocket && req.opensChannel() {
		token, has, err := parseProtocols(req.values("Sec-Websocket-Protocol"))
		switch {
		case err != nil:
			return false, err
		case has && present:
			return false, errTwoCredentials
		case has:
			present, found.access = true, token
		}
	}
	return present, nil
}

// parse returns the token in the lines of the field h, and false if there is none.
func (h *tokenHeader) parse(lines []string) (token string, present bool, err error) {
	switch {
	case len(lines) == 0:
		return "", false, nil
	case len(lines) > 1:
		return "", false, errTwoFields
	case h.Scheme != "":
		return parseScheme(lines[0], h.Scheme)
	}
	token = strings.Trim(lines[0], " \t")
	return token, token != "", nil
}

// parseProtocols returns the token in the lines of a Sec-WebSocket-Protocol header
// (RFC 6455 §11.3.4), and false if there is none. The other protocols stay for the
// handler to choose from, because the answer must name one that the client has
// offered, and must not repeat the token.
func parseProtocols(lines []string) (token string, present bool, err error) {
	others := false
	for _, line := range lines {
		for protocol := range strings.SplitSeq(line, ",") {
			protocol = strings.Trim(protocol, " \t")
			value, isToken := strings.CutPrefix(protocol, webSocketProtocol)
			switch {
			case isToken && present:
				return "", false, errTwoCredentials
			case isToken:
				token, present = value, true
			case protocol != "":
				others = true
			}
		}
	}
	if present && !others {
		return "", false, errNoProtocol
	}
	return token, present, nil
}

// privateBy returns the fields that keep an answer out of shared caches, and apart
// from the answers to requests with other values of the fields in vary.
func privateBy(vary string) []Field { return []Field{{"Cache-Control", "private"}, {"Vary", vary}} }

// notInToken reports whether r is not a character of a token (RFC 9110 §5.6.2).
func notInToken(r rune) bool { return r > '~' || !isSchemeChar(byte(r)) } //nolint:gosec // r is ASCII
