package jwtgate

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

var (
	errOrigin   = errors.New("jwtgate: the Origin field is not an origin")
	errNoOrigin = errors.New("jwtgate: the request has neither Sec-Fetch-Site nor Origin, which Cookies.SameSite None requires")
)

// newOrigins returns the check of a request's origin, and adds the mistakes in the
// list of trusted origins.
func newOrigins(trusted []string, wrong *mistakes) *http.CrossOriginProtection {
	origins := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := origins.AddTrustedOrigin(origin); err != nil || !isOrigin(origin) {
			wrong.add("Cookies.TrustedOrigins", "%q is not an origin as browsers send it: use scheme://host or scheme://host:port, in lower case, without the scheme's default port", origin)
		}
	}
	return origins
}

// checkOrigin returns an error for a state-changing request that a page of another
// site made the browser send, with cookies. Safe methods (RFC 9110 §9.2.1) pass,
// except with Upgrade, which opens a channel that can change state.
func (a *Auth) checkOrigin(req *Request) error {
	switch {
	case req.opensChannel():
	case req.Method == http.MethodGet, req.Method == http.MethodHead, req.Method == http.MethodOptions:
		return nil
	}
	return a.compareOrigin(req)
}

// compareOrigin returns an error unless req comes from a page of this origin or of a
// trusted one, or from no page.
func (a *Auth) compareOrigin(req *Request) error {
	origin, site := req.First("Origin"), req.First("Sec-Fetch-Site")
	host := hostBeside(origin, req.Host)
	switch {
	case strings.Contains(origin, "@"):
		// url.Parse would take the part before the @ for user information, and only
		// the rest would be compared with Host.
		return &originError{errOrigin}
	case origin == "" && site == "" && a.cookies.crossSite():
		// A page of any site may have made the browser send the cookies.
		return &originError{errNoOrigin}
	case origin != "" && host == "":
		// There is no Host to compare with, and an Origin without a host would equal it.
		return &originError{errOrigin}
	}
	// The method is POST, because the check would let safe methods pass.
	asked := http.Request{Method: http.MethodPost, Host: host, Header: http.Header{"Sec-Fetch-Site": {site}, "Origin": {origin}}}
	if err := a.origins.Check(&asked); err != nil {
		return &originError{err}
	}
	return nil
}

// hostBeside returns host in the spelling that the browser uses for it in origin, the
// Origin of the same request: in lower case and without the default port of the scheme.
// Some proxies write Host in another way.
func hostBeside(origin, host string) string {
	host = strings.ToLower(host)
	switch {
	case strings.HasPrefix(origin, "https://"):
		return strings.TrimSuffix(host, ":443")
	case strings.HasPrefix(origin, "http://"):
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// An originError says why the origin of a request is not accepted.
type originError struct{ cause error }

func (e *originError) Error() string { return e.cause.Error() }
func (e *originError) Unwrap() error { return e.cause }

// mayChangeCookies reports whether the answer to req, which was judged by its cookies,
// may renew or clear them. It may not where browsers do not store cookies from the
// answer, or where a page of another site made the request, which with SameSite None
// is possible for every method.
func (a *Auth) mayChangeCookies(req *Request) bool {
	return req.storesCookies() && (!a.cookies.crossSite() || a.compareOrigin(req) == nil)
}

// opensChannel reports whether r opens a connection that continues after the
// answer, such as a WebSocket: by Upgrade or, since HTTP/2, by CONNECT (RFC 8441).
// Browsers do not store cookies from such an answer.
func (r *Request) opensChannel() bool {
	return r.Method == http.MethodConnect || r.First("Upgrade") != ""
}

// isOrigin reports whether origin is an origin in the only spelling that browsers
// send (RFC 6454 §6.2). Another spelling would never match.
func isOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin || origin != strings.ToLower(origin) {
		return false
	}
	for i := range len(origin) {
		if c := origin[i]; c <= ' ' || c > '~' || strings.IndexByte("*@?#", c) >= 0 {
			return false
		}
	}
	port := u.Port()
	return !strings.HasSuffix(u.Host, ":") &&
		!(u.Scheme == "https" && port == "443") && !(u.Scheme == "http" && port == "80")
}
