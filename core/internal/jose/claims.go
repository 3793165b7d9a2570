package jose

import (
	"errors"
	"strings"
)

var (
	errClaims  = errors.New("jose: payload is not an object of claims")
	errExpires = errors.New("jose: exp is missing or zero")
	errRole    = errors.New("jose: payload is a token for another use than access")
	errBound   = errors.New("jose: token is bound to a key that the bearer would have to prove (cnf)")
)

// Claims are the claims of a token that have a say in how it is judged
// (RFC 7519 §4.1, RFC 9068 §2.2). Its strings are parts of the payload. Do not
// copy it: it may have a slice of itself.
type Claims struct {
	Issuer    string // iss
	Subject   string // sub
	ID        string // jti
	SessionID string // sid
	Expires   int64  // exp in seconds since 1970, never 0
	NotBefore int64  // nbf, 0 if absent
	IssuedAt  int64  // iat, 0 if absent
	AuthTime  int64  // auth_time, 0 if absent

	Generation uint32 // gen, 0 if absent: of the refresh token that came with it

	roles    uint32   // how many of words are roles; the others are scopes
	words    []string // of few, if there are no more
	few      [4]string
	audience string // as it is written, empty if absent
}

var claimNames = register(
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "auth_time", "gen", "scope", "scp", "cnf", "token_use", "nonce", "at_hash", "c_hash",
)

// Parse reads the claims in payload into c, which must be new. Roles are looked
// for at rolesPath, the names to follow from the outermost object inwards. A claim
// of ours with a wrong type is an error, roles and scopes of a wrong shape are
// none at all.
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
			// RFC 7800 §3.1, RFC 9449 §7.2: without the proof it is a stolen token.
			err = errBound
		case "nonce", "at_hash", "c_hash":
			// OpenID Connect Core §2: marks of an ID token.
			err = errRole
		case "token_use":
			if use, textErr := v.text(); textErr != nil || use != "access" {
				err = errRole
			}
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
	if c.Expires == 0 {
		return errExpires
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
