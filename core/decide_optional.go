package jwtgate

import (
	"errors"
	"net/http"
	"slices"
)

// overlookEnded returns from for an [Optional] route. A browser whose session is over
// is anonymous there and loses its cookies, because it would send them again with every
// request. If the session goes on, but its cookies cannot be used at the moment, the
// browser is anonymous and keeps them. All other refusals stay: cookies that are forged
// must not go unnoticed, and a request that another one can renew must be repeated.
func (a *Auth) overlookEnded(req *Request, from caller) caller {
	switch {
	case !from.cookie, from.identity != nil && from.refusal == nil:
		return from
	case from.refusal != nil && from.refusal.goesOn():
		return caller{cookie: true}
	case from.refusal != nil && (from.pending || !from.refusal.endsSession()):
		return from
	}
	over := caller{cookie: true}
	if a.mayChangeCookies(req) {
		over.renewed = &renewal{cookies: a.cookies, fields: append(slices.Clip(a.cookies.clear), uncacheable...), now: a.config.Now}
	}
	return over
}

// endsSession reports whether r, the refusal of a browser's cookies, says that their
// session is over.
func (r *Refusal) endsSession() bool {
	switch r.Code {
	case CodeTokenExpired, CodeTokenRevoked, CodeRefreshExpired, CodeRefreshRevoked, CodeRefreshReused:
		return true
	case CodeRefreshInvalid: // also of a token whose key is gone
		return true
	}
	return false
}

// goesOn reports whether r, the refusal of a browser's cookies, is for the moment only,
// so that the browser keeps them.
func (r *Refusal) goesOn() bool {
	return r.Status == http.StatusUnauthorized &&
		(r.Code == CodeLoginTooOld || r.Code == CodeRefreshStale || errors.Is(r.Err, errEarly))
}
