package jwtgate

import (
	"context"
	"net/netip"
	"strings"
)

// plainHost returns the host of req if req came over plain HTTP from a browser that
// will not send Secure cookies back to that host, as far as this can be known. It
// returns "" for all other requests.
//
// The best evidence is the Origin that the browser itself sends. Without it, the
// connection is plain, but a proxy may have terminated TLS. Header fields that
// proxies add, and Sec-Fetch-Site, which browsers send by HTTPS only, are then reasons
// not to warn. Nothing else depends on them, so they need not be trusted.
func (a *Auth) plainHost(req *Request) string {
	if a.cookies == nil || a.cookies.InsecureHTTP || req.Host == "" || isLocal(req.Host) {
		return ""
	}
	scheme, host, _ := strings.Cut(req.First("Origin"), "://")
	plain := scheme == "http"
	if !strings.EqualFold(host, req.Host) {
		plain = !req.TLS
		for _, name := range [...]string{"Sec-Fetch-Site", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "Via"} {
			plain = plain && req.First(name) == ""
		}
	}
	if !plain {
		return ""
	}
	return strings.Clone(req.Host)
}

// warnPlainHTTP logs a warning, once, that browsers do not send cookies back to host,
// unless host is empty.
func (a *Auth) warnPlainHTTP(ctx context.Context, host string) {
	if host == "" {
		return
	}
	a.warned.Do(func() {
		a.config.Logger.WarnContext(ctx, "a browser signed in over plain HTTP, and will not send its Secure cookies back: use HTTPS, or http://localhost, or Cookies.InsecureHTTP for development. If a proxy terminates TLS, have it set X-Forwarded-Proto, and this warning ends", "host", host)
	})
}

// isLocal reports whether browsers treat host, with or without a port, as secure
// without TLS.
func isLocal(host string) bool {
	if addr, err := netip.ParseAddrPort(host); err == nil {
		return addr.Addr().Unmap().IsLoopback()
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return addr.Unmap().IsLoopback()
	}
	name, _, _ := strings.Cut(host, ":")
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
