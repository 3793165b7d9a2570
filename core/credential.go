package jwtgate

import (
	"errors"
	"hash/maphash"
	"strings"
)

// A credential is what a request is judged by: one access token, or the cookies of
// a browser.
type credential struct {
	access  string       // the access token, empty if there is none
	hash    uint64       // of access, by which it is cached
	cached  *cachedToken // the cache's entry for access, nil if there is none
	cookie  bool         // the tokens come from cookies, which browsers send by themselves
	header  *tokenHeader // the field that access comes from, nil if that is no field of Config.TokenHeaders
	refresh string       // the refresh token from a cookie, empty if there is none
}

// mark returns a hash of c that no other valid credential has. If c is being renewed,
// its refresh token counts too.
func (c *credential) mark(a *Auth, renewed bool) uint64 {
	if renewed {
		return maphash.String(a.cache.seed, c.access+" "+c.refresh)
	}
	return c.hash
}

var (
	errTwoHeaders = errors.New("jwtgate: more than one Authorization header")
	errTwoCookies = errors.New("jwtgate: more than one cookie of the same name")
	errNotAToken  = errors.New("jwtgate: credentials are not exactly one token")
	errTokenSize  = errors.New("jwtgate: token is longer than Config.MaxTokenSize")
)

// ambient reports whether a page of another site can make the browser send c.
func (c *credential) ambient() bool {
	return c.cookie || c.header != nil && !c.header.InsecureAnyOrigin
}

// credential returns what req is to be judged by. A token in a header field takes
// precedence over cookies, because the client chose it explicitly. If it is wrong,
// the request is refused even if a cookie is valid.
func (a *Auth) credential(req *Request) (credential, error) {
	found, err := a.fromHeader(req)
	if err != nil || found.access != "" || a.cookies == nil {
		return found, err
	}
	return a.fromCookies(req)
}

// fromCookies returns the tokens in req's cookies.
func (a *Auth) fromCookies(req *Request) (credential, error) {
	lines := req.values("Cookie")
	if len(lines) == 0 {
		return credential{}, nil
	}
	access, present, err := cookie(lines, a.cookies.access)
	if err != nil {
		return credential{cookie: true}, err
	}
	found := credential{access: access}
	if present {
		if err = a.lookUp(&found); err == nil {
			err = found.checkSyntax()
		}
		if err != nil {
			return credential{cookie: true}, err
		}
	}
	if a.sessions != nil {
		// A malformed refresh token is refused when it is needed, not beside a valid
		// access token.
		if found.refresh, _, err = cookie(lines, a.cookies.refresh); err != nil {
			return credential{cookie: true}, err
		}
	}
	found.cookie = found.access != "" || found.refresh != ""
	return found, nil
}

// bearer returns the token in req's header, except its cookies.
func (a *Auth) bearer(req *Request) (credential, error) {
	found, err := a.fromHeader(req)
	if err == nil {
		err = found.checkSyntax()
	}
	return found, err
}

// fromHeader is bearer without the syntax check, for callers that decode the token.
func (a *Auth) fromHeader(req *Request) (credential, error) {
	var found credential
	token, present, err := parseBearer(req.values("Authorization"))
	found.access = token
	if err == nil && a.fields != nil {
		present, err = a.fields.find(req, &found, present)
	}
	if err == nil && present {
		err = a.lookUp(&found)
	}
	if err != nil || !present {
		return credential{}, err
	}
	return found, nil
}

// parseBearer returns the token in the lines of an Authorization header, and false
// if there is none. Another scheme than Bearer counts as none.
func parseBearer(lines []string) (token string, present bool, err error) {
	switch len(lines) {
	case 0:
		return "", false, nil
	case 1:
	default:
		// A proxy in front may have checked the other one.
		return "", false, errTwoHeaders
	}
	return parseScheme(lines[0], "bearer")
}

// parseScheme returns the token after scheme in line, and false if line has another
// scheme.
func parseScheme(line, scheme string) (token string, present bool, err error) {
	if len(line) < len(scheme) || !strings.EqualFold(line[:len(scheme)], scheme) {
		return "", false, nil
	}
	line = line[len(scheme):]
	if line != "" && isSchemeChar(line[0]) {
		return "", false, nil // another scheme, such as Bearer2
	}
	token = strings.TrimLeft(line, " ") // RFC 9110 §11.4: 1*SP
	if len(token) == len(line) {
		return "", false, errNotAToken
	}
	return token, true, nil
}

// cookie returns the value of the cookie called name in the lines of a Cookie
// header, and false if there is none. It parses the lines itself, because the
// frameworks differ in how they treat quotes, spaces and bytes beyond ASCII.
func cookie(lines []string, name string) (value string, present bool, err error) {
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			left, right, _ := strings.Cut(pair, "=")
			if strings.Trim(left, " \t") != name {
				continue
			}
			if present {
				return "", false, errTwoCookies
			}
			value, present = strings.Trim(right, " \t"), true
		}
	}
	return value, present, nil
}

// lookUp looks the access token of c up in the cache. It returns an error if the token is
// empty or too long.
func (a *Auth) lookUp(c *credential) error {
	switch {
	case c.access == "":
		return errNotAToken
	case len(c.access) > a.config.MaxTokenSize:
		return errTokenSize
	}
	c.hash = a.cache.hash(c.access)
	c.cached = a.cache.find(c.access, c.hash)
	return nil
}

// checkSyntax returns an error if the access token is not a b64token. A cached token
// is one.
func (c *credential) checkSyntax() error {
	if c.access != "" && c.cached == nil && !isToken(c.access) {
		return errNotAToken
	}
	return nil
}

// isToken reports whether value is a b64token (RFC 6750 §2.1).
func isToken(value string) bool {
	body := strings.TrimRight(value, "=")
	var wrong byte // without a branch for each character, which takes twice the time
	for i := range len(body) {
		wrong |= notTokenChar[body[i]]
	}
	return body != "" && wrong == 0
}

// notTokenChar has 1 for each byte that cannot be part of a b64token, and 0 for the others.
var notTokenChar = func() (not [256]byte) {
	for c := range not {
		if !isAlphanumeric(byte(c)) && strings.IndexByte("-._~+/", byte(c)) < 0 {
			not[c] = 1
		}
	}
	return not
}()

// isSchemeChar reports whether c can be part of the name of a scheme (RFC 9110 §5.6.2).
func isSchemeChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
