package core

import (
	"errors"
	"strings"
)

// credential is the one token that a request is judged by.
type credential struct {
	token  string // empty: the request has none
	cookie bool   // it came in a cookie, which a browser sends by itself
}

var (
	errTwoHeaders = errors.New("core: more than one Authorization header")
	errTwoCookies = errors.New("core: more than one cookie of the same name")
	errNotAToken  = errors.New("core: credentials are not one token")
	errTokenSize  = errors.New("core: token is over the size limit")
)

// credential finds the token in req. The Authorization header wins over the
// cookie (an explicit choice of the client over a browser's habit), and what is
// wrong with it is never made good by the cookie.
func (a *Auth) credential(req *Request) (credential, error) {
	var found credential
	var err error
	found.token, err = bearer(req.Authorization)
	if err == nil && found.token == "" && a.cookies != nil {
		found.token, err = cookie(req.Cookie, a.cookies.access)
		found.cookie = found.token != "" || err != nil
	}
	if err == nil && len(found.token) > a.config.MaxTokenSize {
		err = errTokenSize
	}
	return found, err
}

// bearer returns the token in the lines of an Authorization header, empty if
// they have none: another scheme than Bearer counts as none.
func bearer(lines []string) (token string, err error) {
	switch len(lines) {
	case 0:
		return "", nil
	case 1:
	default:
		// Which of them a proxy looked at is anyone's guess.
		return "", errTwoHeaders
	}
	const scheme = "bearer"
	line := lines[0]
	if len(line) < len(scheme) || !strings.EqualFold(line[:len(scheme)], scheme) {
		return "", nil
	}
	line = line[len(scheme):]
	if line != "" && isSchemeChar(line[0]) {
		return "", nil // another scheme, such as Bearer2
	}
	token = strings.TrimLeft(line, " ") // RFC 9110 §11.4: 1*SP
	if len(token) == len(line) {
		return "", errNotAToken
	}
	return token, checkToken(token)
}

// cookie returns the value of the cookie called name in the lines of a Cookie
// header, empty if there is none. It reads the lines itself, because servers
// differ in what they make of quotes, spaces and bytes beyond ASCII there.
func cookie(lines []string, name string) (value string, err error) {
	found := false
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			left, right, _ := strings.Cut(pair, "=")
			if strings.Trim(left, " \t") != name {
				continue
			}
			if found {
				return "", errTwoCookies
			}
			value, found = strings.Trim(right, " \t"), true
		}
	}
	if !found {
		return "", nil
	}
	return value, checkToken(value)
}

// checkToken reports a value that is not the b64token of RFC 6750 §2.1.
func checkToken(value string) error {
	body := strings.TrimRight(value, "=")
	if body == "" {
		return errNotAToken
	}
	for i := range len(body) {
		if c := body[i]; !isAlphanumeric(c) && strings.IndexByte("-._~+/", c) < 0 {
			return errNotAToken
		}
	}
	return nil
}

// isSchemeChar reports whether c can be part of a scheme's name (RFC 9110 §5.6.2).
func isSchemeChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
