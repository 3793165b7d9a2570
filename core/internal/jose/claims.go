package jose

import (
	"errors"
	"strings"
)

var errClaims = errors.New("jose: payload is not an object of claims")

// Claims are the registered claims of a token (RFC 7519 §4.1, RFC 9068 §2.2).
// Strings are empty and numbers are 0 if the claim is absent. Dates are in seconds
// since 1970. The strings are parts of the payload. A Claims must not be copied,
// because it can have a slice of itself.
type Claims struct {
	Issuer    string // iss
	Subject   string // sub
	ID        string // jti
	SessionID string // sid
	Expires   int64  // exp
	NotBefore int64  // nbf
	IssuedAt  int64  // iat
	AuthTime  int64  // auth_time

	Generation uint32 // gen: the generation of the refresh token that was issued with it

	TokenUse    string // token_use
	HasTokenUse bool   // token_use is present
	HasKey      bool   // cnf is present (RFC 7800 §3.1)
	HasNonce    bool   // nonce is present (OpenID Connect Core §2)
	HasHash     bool   // at_hash or c_hash is present (OpenID Connect Core §3.3.2.11)

	roles    uint32   // how many of words are roles; the others are scopes
	words    []string // a slice of few if they fit into it
	few      [4]string
	audience string // the JSON of aud
}

// IsRegistered reports whether name is the name of a claim that [Claims.Parse]
// reads, in any spelling of its case.
func IsRegistered(name string) bool { return claimNames.contains(name) }

var claimNames = register(
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "auth_time", "gen", "scope", "scp", "cnf", "token_use", "nonce", "at_hash", "c_hash",
)

// Parse reads the claims in payload into c, which must be new. It finds the roles
// at rolesPath, the names to follow from the outermost object inwards. A registered
// claim of a wrong type is an error. Roles and scopes of a wrong type count as
// absent.
func (c *Claims) Parse(payload string, rolesPath []string) error {
	m := members{document: document(payload)}
	if err := m.open(); err != nil {
		return errClaims
	}
	var roles, scope, scp value
	for {
		name, v, err := m.next()
		if err != nil {
			return err
		}
		if v.kind == none {
			break
		}
		switch name {
		case "iss":
			c.Issuer, err = v.text()
		case "sub":
			c.Subject, err = v.text()
		case "aud":
			c.audience, err = v.raw, checkAudience(v)
		case "exp":
			c.Expires, err = v.date()
		case "nbf":
			c.NotBefore, err = v.date()
		case "iat":
			c.IssuedAt, err = v.date()
		case "auth_time":
			c.AuthTime, err = v.date()
		case "gen":
			c.Generation, err = v.uint32()
		case "jti":
			c.ID, err = v.text()
		case "sid":
			c.SessionID, err = v.text()
		case "scope":
			scope = v
		case "scp":
			scp = v
		case "cnf":
			c.HasKey = true
		case "nonce":
			c.HasNonce = true
		case "at_hash", "c_hash":
			c.HasHash = true
		case "token_use":
			c.HasTokenUse = true
			c.TokenUse, err = v.text()
		default:
			if m.names.respells(name, &claimNames) {
				err = errFolded
			}
		}
		if err != nil {
			return err
		}
		if len(rolesPath) > 0 && name == rolesPath[0] {
			roles = v
		}
	}
	if err := m.end(); err != nil {
		return err
	}
	if len(rolesPath) > 0 {
		for _, name := range rolesPath[1:] {
			roles = roles.member(name)
		}
	}
	if scope.kind == none {
		scope = scp // what Entra ID and Okta call it
	}
	c.setWords(roles, scope)
	return nil
}

// Roles returns the roles. Do not change them.
func (c *Claims) Roles() []string { return c.words[:c.roles:c.roles] }

// Scopes returns the scopes. Do not change them.
func (c *Claims) Scopes() []string { return c.words[c.roles:] }

// HasAudience reports whether aud names audience, to the letter (RFC 7519 §4.1.3).
func (c *Claims) HasAudience(audience string) bool {
	if !strings.HasPrefix(c.audience, "[") {
		return c.audience != "" && unquote(c.audience) == audience
	}
	for v := range (value{kind: array, raw: c.audience}).elements() {
		if v.string() == audience {
			return true
		}
	}
	return false
}

func checkAudience(v value) error {
	if v.kind == text {
		return nil
	}
	if v.kind != array {
		return errType
	}
	for element := range v.elements() {
		if element.kind != text {
			return errType
		}
	}
	return nil
}

// setWords sets the roles and the scopes.
func (c *Claims) setWords(roles, scope value) {
	words := appendStrings(c.few[:0], roles)
	c.roles = uint32(len(words)) //nolint:gosec // no token has as many
	if scope.kind == text {
		// RFC 6749 §3.3: scope is a list of words with spaces between them.
		for word := range strings.SplitSeq(scope.string(), " ") {
			if word != "" {
				words = append(words, word)
			}
		}
	} else {
		words = appendStrings(words, scope)
	}
	c.words = words
}

// appendStrings appends the strings in the array v that are not empty to words:
// none if v has anything else in it.
func appendStrings(words []string, v value) []string {
	n := len(words)
	for element := range v.elements() {
		if element.kind != text {
			return words[:n]
		}
		if word := element.string(); word != "" {
			words = append(words, word)
		}
	}
	return words
}
