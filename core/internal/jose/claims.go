package jose

import (
	"errors"
	"slices"
	"strings"
)

var errClaims = errors.New("jose: payload is not an object of claims")

// Claims are the registered claims of a token (RFC 7519 §4.1, RFC 9068 §2.2).
// Strings are empty and numbers are 0 if the claim is absent. Dates are in seconds
// since 1970. The strings are parts of the payload. A Claims must not be copied,
// because it can have a slice of itself.
//
// A claim that is null counts as absent, and so does one of a wrong type, except for
// exp and nbf, which are errors: they limit the token.
type Claims struct {
	Issuer    string // iss
	Subject   string // sub, or the claim of the layout: a string, or the digits of a whole number
	ID        string // jti
	SessionID string // sid
	Expires   int64  // exp
	NotBefore int64  // nbf
	IssuedAt  int64  // iat
	AuthTime  int64  // auth_time

	Generation uint32 // gen: the generation of the refresh token that was issued with it
	AsOf       int64  // as_of: the time of the session store, in milliseconds, whose revocations the issuer knew
	HasAsOf    bool   // as_of is present, and a number

	Type        string // typ of the payload (Keycloak)
	TokenUse    string // token_use (Cognito)
	HasTokenUse bool   // token_use is present
	HasScope    bool   // scope or scp is present
	HasKey      bool   // cnf is present (RFC 7800 §3.1)
	HasNonce    bool   // nonce is present (OpenID Connect Core §2)
	HasHash     bool   // at_hash or c_hash is present (OpenID Connect Core §3.3.2.11)
	HasEvents   bool   // events is present (RFC 8417 §2.2)

	roles    uint32   // how many of words are roles; the others are scopes
	words    []string // a slice of few if they fit into it
	few      [4]string
	audience string // the JSON of the audience, empty if it is neither a string nor an array of strings
}

// IsRegistered reports whether name is the name of a claim that [Claims.Parse]
// reads, in any spelling of its case.
func IsRegistered(name string) bool { return decidingNames.contains(name) || otherNames.contains(name) }

// decidingNames are the names of the claims that can decide whether a token is
// accepted. They are accepted in one spelling only.
var decidingNames = NewNames(
	"iss", "sub", "aud", "exp", "nbf", "iat", "scope", "scp", "cnf", "token_use", "typ", "nonce", "at_hash", "c_hash", "events",
)

// otherNames are the names of the other claims that are read.
var otherNames = NewNames("jti", "sid", "auth_time", "gen", "as_of")

// Parse reads the claims in payload into c, which must be new. The layout says where
// the subject, the audience and the roles are. Roles and scopes of a wrong type count
// as absent.
func (c *Claims) Parse(payload string, layout *Layout) error {
	m := members{document: document(payload)}
	if err := m.open(); err != nil {
		return errClaims
	}
	var places []Path
	if layout != nil {
		places = layout.places
	}
	var few [4]value
	found := few[:min(len(places), len(few))] // the first step to each of places
	if len(places) > len(few) {
		found = make([]value, len(places))
	}
	var scope, scp value
	for {
		name, v, err := m.next()
		if err != nil {
			return err
		}
		if v.kind == none {
			break
		}
		if v.kind == null {
			continue
		}
		switch name {
		case "iss":
			c.Issuer = v.textOrEmpty()
		case "sub":
			c.Subject = v.identifier()
		case "aud":
			c.setAudience(v)
		case "exp":
			c.Expires, err = v.date()
		case "nbf":
			c.NotBefore, err = v.date()
		case "iat":
			if v.kind == number {
				c.IssuedAt, err = v.date()
			}
		case "auth_time":
			c.AuthTime, _ = v.date()
		case "gen":
			c.Generation, _ = v.uint32()
		case "as_of":
			var invalid error
			c.AsOf, invalid = v.date()
			c.HasAsOf = invalid == nil
		case "jti":
			c.ID = v.textOrEmpty()
		case "sid":
			c.SessionID = v.textOrEmpty()
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
		case "events":
			c.HasEvents = true
		case "typ":
			c.Type = v.textOrEmpty()
		case "token_use":
			c.HasTokenUse = true
			c.TokenUse = v.textOrEmpty()
		default:
			if m.names.respells(name, &decidingNames) {
				err = errFolded
			}
		}
		if err != nil {
			return err
		}
		for i, path := range places {
			if name == path[0] {
				found[i] = v
			}
		}
	}
	if err := m.end(); err != nil {
		return err
	}
	for i, path := range places {
		var err error
		if found[i], err = found[i].follow(path[1:]); err != nil {
			return err
		}
	}
	if layout != nil && layout.subject {
		c.Subject = found[0].identifier()
		found = found[1:]
	}
	if layout != nil && layout.audience {
		c.setAudience(found[0])
		found = found[1:]
	}
	if scope.kind == none {
		scope = scp // what Entra ID and Okta call it
	}
	c.HasScope = scope.kind != none
	c.setWords(found, scope)
	return nil
}

// Roles returns the roles. Do not change them.
func (c *Claims) Roles() []string { return c.words[:c.roles:c.roles] }

// Scopes returns the scopes. Do not change them.
func (c *Claims) Scopes() []string { return c.words[c.roles:] }

// HasAudience reports whether the audience is or includes audience, to the letter
// (RFC 7519 §4.1.3).
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

// setAudience sets the audience to v, a string or an array of strings. Any other
// value names no audience.
func (c *Claims) setAudience(v value) {
	c.audience = ""
	if v.kind != text && v.kind != array {
		return
	}
	for element := range v.elements() {
		if element.kind != text {
			return
		}
	}
	c.audience = v.raw
}

// setWords sets the roles, which are the union of those in each of roles, and the
// scopes.
func (c *Claims) setWords(roles []value, scope value) {
	words := c.few[:0]
	for i, v := range roles {
		more := appendRoles(words, v)
		if i == 0 {
			words = more
			continue
		}
		n := len(words)
		words = more[:n]
		for _, word := range more[n:] {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
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

// appendRoles appends the roles in v to words: the strings in an array, a string as
// it is, or the names in an object whose value is true or not empty.
func appendRoles(words []string, v value) []string {
	switch v.kind {
	case text:
		if role := v.string(); role != "" {
			words = append(words, role)
		}
	case object:
		for name, member := range v.members() {
			if name != "" && member.isTrue() {
				words = append(words, name)
			}
		}
	default:
		words = appendStrings(words, v)
	}
	return words
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
