package core

import (
	"errors"
	"net/http"
	"strings"
)

var errOrigin = errors.New("core: Origin is not an origin")

// checkOrigin reports a state-changing request that another site made the
// browser send, cookies and all. Safe methods pass, as long as they stay what
// RFC 9110 §9.2.1 has them be: an Upgrade, or CONNECT, opens a channel that can
// do anything.
func (a *Auth) checkOrigin(req *Request) error {
	method := req.Method
	if req.Upgrade != "" {
		method = http.MethodConnect
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if strings.Contains(req.Origin, "@") {
		// url.Parse would take what is before it for user information and
		// compare only the rest with Host.
		return errOrigin
	}
	asked := http.Request{Method: method, Host: req.Host, Header: make(http.Header, 2)}
	if req.SecFetchSite != "" {
		asked.Header["Sec-Fetch-Site"] = []string{req.SecFetchSite}
	}
	if req.Origin != "" {
		asked.Header["Origin"] = []string{req.Origin}
	}
	return a.origins.Check(&asked)
}
