package jwtgate

import (
	"errors"
	"strings"
)

// credential is what a request is judged by: one access token, or the cookies
// of a browser.
type credential struct {
	access  string    // the access token, empty if there is none
	known   *verified // access, if it was verified before
	cookie  bool      // it is cookies, which a browser sends by itself
	refresh string    // with cookies: the refresh token, empty if there is none
}

var (
	errTwoHeaders = errors.New("jwtgate: more than one Authorization header")
	errTwoCookies = errors.New("jwtgate: more than one cookie of the same name")
	errNotAToken  = errors.New("jwtgate: credentials are not one token")
	errTokenSize  = errors.New("jwtgate: token is over the size limit")
)

// credential finds what req is to be judged by. The Authorization header wins
// over cookies (an explicit choice of the client over a browser's habit), and
// what is wrong with it is never made good by a cookie.
func (a *Auth) credential(req *Request) (credential, error) {
	found, err := a.fromHeader(req)
	if err != nil || found.access != "" || a.cookies == nil {
		return found, err
	}
	return a.fromCookies(req)
}

// fromCookies finds the tokens in req's cookies.
func (a *Auth) fromCookies(req *Request) (credential, error) {
	lines := req.values("Cookie")
	if len(lines) == 0 {
		return credential{}, nil
	}
	access, present, err := cookie(lines, a.cookies.access)
	if err != nil {
		return credential{cookie: true}, err
	}
	found := credential{cookie: true, access: access}
	if present {
		if found.known, err = a.known(access); err == nil {
			err = found.checkAccess()
		}
		if err != nil {
			return credential{cookie: true}, err
		}
	}
	if a.sessions != nil {
		// One that is no token is refused if it is needed, not beside a good
		// access token.
		if found.refresh, _, err = cookie(lines, a.cookies.refresh); err != nil {
			return credential{cookie: true}, err
		}
	}
	found.cookie = found.access != "" || found.refresh != ""
	return found, nil
}

// bearer finds the token in req's Authorization header.
func (a *Auth) bearer(req *Request) (credential, error) {
	found, err := a.fromHeader(req)
	if err == nil {
		err = found.checkAccess()
	}
	return found, err
}

// fromHeader is bearer for who looks at every character of the token anyway: a
// good one is not looked at twice.
func (a *Auth) fromHeader(req *Request) (credential, error) {
	token, present, err := parseBearer(req.values("Authorization"))
	if err != nil || !present {
		return credential{}, err
	}
	known, err := a.known(token)
	if err != nil {
		return credential{}, err
	}
	return credential{access: token, known: known}, nil
}

// parseBearer returns the token in the lines of an Authorization header, and false
// if they have none: another scheme than Bearer counts as none.
func parseBearer(lines []string) (token string, present bool, err error) {
	switch len(lines) {
	case 0:
		return "", false, nil
	case 1:
	default:
		// Which of them a proxy looked at is anyone's guess.
		return "", false, errTwoHeaders
	}
	const scheme = "bearer"
	line := lines[0]
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
// header, and false if there is none. It reads the lines itself, because servers
// differ in what they make of quotes, spaces and bytes beyond ASCII there.
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

// known returns what is known of token, nil if nothing is. It reports one that is
// empty or too long to be looked at.
func (a *Auth) known(token string) (*verified, error) {
	switch {
	case token == "":
		return nil, errNotAToken
	case len(token) > a.config.MaxTokenSize:
		return nil, errTokenSize
	}
	return a.cache.find(token), nil
}

// checkAccess reports an access token that is none. What was verified before was one.
func (c *credential) checkAccess() error {
	if c.access != "" && c.known == nil && !isToken(c.access) {
		return errNotAToken
	}
	return nil
}

// isToken reports whether value is a b64token (RFC 6750 §2.1).
func isToken(value string) bool {
	body := strings.TrimRight(value, "=")
	for i := range len(body) {
		if !isTokenChar[body[i]] {
			return false
		}
	}
	return body != ""
}

// isTokenChar says of each byte whether it can be part of a b64token.
var isTokenChar = func() (is [256]bool) {
	for c := range is {
		is[c] = isAlphanumeric(byte(c)) || strings.IndexByte("-._~+/", byte(c)) >= 0
	}
	return is
}()

// isSchemeChar reports whether c can be part of a scheme's name (RFC 9110 §5.6.2).
func isSchemeChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
