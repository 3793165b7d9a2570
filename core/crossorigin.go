package jwtgate

import (
	"errors"
	"net/http"
	"strings"
)

var errOrigin = errors.New("jwtgate: Origin is not an origin")

// checkOrigin reports a state-changing request that another site made the
// browser send, cookies and all. Safe methods pass, as long as they stay what
// RFC 9110 §9.2.1 has them be: an Upgrade, or CONNECT, opens a channel that can
// do anything.
func (a *Auth) checkOrigin(req *Request) error {
	switch {
	case req.opensChannel():
	case req.Method == http.MethodGet, req.Method == http.MethodHead, req.Method == http.MethodOptions:
		return nil
	}
	origin := req.First("Origin")
	switch {
	case strings.Contains(origin, "@"):
		// url.Parse would take what is before it for user information and
		// compare only the rest with Host.
		return errOrigin
	case origin != "" && req.Host == "":
		// Nothing to compare with, and an Origin without a host would equal it.
		return errOrigin
	}
	// As POST, because the check itself lets a GET pass that is an Upgrade.
	asked := http.Request{Method: http.MethodPost, Host: req.Host, Header: make(http.Header, 2)}
	if site := req.First("Sec-Fetch-Site"); site != "" {
		asked.Header["Sec-Fetch-Site"] = []string{site}
	}
	if origin != "" {
		asked.Header["Origin"] = []string{origin}
	}
	return a.origins.Check(&asked)
}

// opensChannel reports whether r asks for a connection that goes on after the
// answer, such as a WebSocket: by Upgrade, or, from HTTP/2 on, by CONNECT
// (RFC 8441). Its answer does not pass cookies on to the browser.
func (r *Request) opensChannel() bool {
	return r.Method == http.MethodConnect || r.First("Upgrade") != ""
}
