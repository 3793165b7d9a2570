package jwtgate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// CookieConfig configures the cookies that carry tokens. They are always HttpOnly,
// and by default Secure, SameSite=Lax and for this host only, which browsers enforce
// by the prefix __Host-. The zero value is valid.
type CookieConfig struct {
	_ [0]func()

	// Name becomes part of the names of both cookies: "shop" makes them __Host-shop-at
	// and __Host-shop-rt. Set it if several applications share a host: otherwise
	// each of them clears the cookies of the others. It consists of letters,
	// digits and the other characters of a token (RFC 9110 §5.6.2). Browsers that are
	// signed in are signed out when it changes. The default is none: __Host-at and
	// __Host-rt.
	Name string

	// Domain, if not empty, shares the cookies with this domain and all its
	// subdomains: "example.com". The prefix is then __Secure-, and browsers no longer
	// enforce that only this host sets the cookies. Beware: every subdomain receives
	// the tokens, and every subdomain, even an abandoned one, can plant cookies, and so
	// sign a visitor in to an account of the attacker's. Where a cookie comes twice,
	// the request is refused with 400, and both the cookies of the host and those of
	// the domain are cleared. The default shares them with no other host.
	Domain string

	// SameSite is [http.SameSiteLaxMode], the default, [http.SameSiteStrictMode] or
	// [http.SameSiteNoneMode]. With Strict, a visitor who follows a link from another
	// site is not signed in on the first page.
	//
	// None is for pages of other sites that make requests with the cookies. It needs
	// TrustedOrigins, and middleware for CORS with credentials. The cookies are
	// Partitioned (CHIPS): a visitor has a session for each site at the top of the
	// page. State-changing requests with neither Sec-Fetch-Site nor Origin are
	// refused. A request is renewed only if these fields say that it comes from this
	// origin, from a trusted one or from the visitor. Any other request gets 401 when
	// its access token has expired, and keeps its cookies.
	SameSite http.SameSite

	// TrustedOrigins lists other origins, such as "https://app.example.com", whose
	// pages may make state-changing requests with the cookies. List only origins
	// that may act on behalf of your users.
	TrustedOrigins []string

	// InsecureHTTP is for development on a plain-HTTP host other than localhost,
	// where browsers refuse Secure cookies. The cookies lose Secure and the prefix:
	// anyone on the network can read them, and other hosts of the domain can set
	// them.
	InsecureHTTP bool

	// RenewBefore renews an access token that expires within this time, so that it
	// does not expire while a handler uses it. If the renewal fails, the request is
	// served with the current token. The default is zero, which renews expired
	// tokens only.
	RenewBefore time.Duration

	// ReissueRefresh gives a browser that has a valid access token, but no valid
	// refresh token, a new refresh token of the same session, within SessionTTL.
	// Beware: a stolen access cookie is then as good as a stolen session. Every
	// request by cookie reads the session from the store.
	ReissueRefresh bool
}

// maxCookie is the size of the largest cookie, name and value, that browsers
// store. They ignore larger cookies silently.
const maxCookie = 4096

// cookies is a checked CookieConfig.
type cookies struct {
	CookieConfig

	access  string  // the name of the access token's cookie
	refresh string  // the name of the refresh token's cookie
	clear   []Field // deletes both cookies; with Domain, also those of the host
	host    []Field // with Domain, deletes the cookies of the host only
}

// newCookies returns the cookies of config, and adds the mistakes in its Cookies.
func newCookies(config *Config, wrong *mistakes) *cookies {
	c := &cookies{CookieConfig: *config.Cookies}
	c.checkNames(wrong)
	c.checkSameSite(wrong)
	shortest := config.AccessTTL
	if config.Sessions != nil {
		shortest -= config.Sessions.Jitter
	}
	if c.RenewBefore < 0 || c.RenewBefore > shortest/2 {
		wrong.add("Cookies.RenewBefore", "is %v: use 0 to half of AccessTTL minus Jitter", c.RenewBefore)
	}
	if (c.RenewBefore > 0 || c.ReissueRefresh) && config.Sessions == nil {
		wrong.add("Sessions", "is nil, but Cookies.RenewBefore and Cookies.ReissueRefresh need it: set it, or leave those unset")
	}
	c.clear = []Field{c.field(c.access, "", -1), c.field(c.refresh, "", -1)}
	if c.Domain != "" {
		ofHost := *c
		ofHost.Domain = ""
		c.host = []Field{ofHost.field(c.access, "", -1), ofHost.field(c.refresh, "", -1)}
		c.clear = append(c.clear, c.host...)
	}
	return c
}

// maxCookieName is the length of the longest CookieConfig.Name, in bytes.
const maxCookieName = 64

// checkNames sets the names of the cookies, and adds the mistakes in Name and Domain.
func (c *cookies) checkNames(wrong *mistakes) {
	prefix := "__Host-"
	switch {
	case c.InsecureHTTP:
		prefix = ""
	case c.Domain != "":
		prefix = "__Secure-"
	}
	if c.Name != "" {
		lower := strings.ToLower(c.Name)
		switch {
		case len(c.Name) > maxCookieName || slices.ContainsFunc([]byte(c.Name), func(b byte) bool { return !isSchemeChar(b) }):
			wrong.add("Cookies.Name", "is %.70q: use up to %d letters, digits, hyphens and underscores", c.Name, maxCookieName)
		case strings.HasPrefix(lower, "__"):
			wrong.add("Cookies.Name", "is %q, which begins like the prefix of a cookie: leave the prefix out, because it is added", c.Name)
		}
		prefix += c.Name + "-"
	}
	c.access, c.refresh = prefix+"at", prefix+"rt"
	if c.Domain != "" && !isDomain(c.Domain) {
		wrong.add("Cookies.Domain", "is %.300q, which is not a domain: use a name such as example.com, in lower case, without a scheme, a port or a leading dot", c.Domain)
		c.Domain = "" // package net/http logs a Domain that it leaves out
	}
}

// isDomain reports whether domain is the name of a domain below a top-level one. IP
// addresses have no subdomains.
func isDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool {
				return (r < 'a' || 'z' < r) && (r < '0' || '9' < r) && r != '-'
			}) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(domain) <= 253 && (last[0] < '0' || '9' < last[0])
}

// checkSameSite sets SameSite, and adds the mistakes in it.
func (c *cookies) checkSameSite(wrong *mistakes) {
	switch c.SameSite {
	case 0, http.SameSiteDefaultMode:
		c.SameSite = http.SameSiteLaxMode
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if len(c.TrustedOrigins) == 0 {
			wrong.add("Cookies.TrustedOrigins", "is empty, but Cookies.SameSite is None: list the origins of the other sites whose pages may use the cookies, or leave SameSite unset")
		}
		if c.InsecureHTTP {
			wrong.add("Cookies.InsecureHTTP", "is set, but Cookies.SameSite is None: browsers refuse such cookies without Secure, so leave one of the two unset")
		}
	default:
		wrong.add("Cookies.SameSite", "is unknown: use http.SameSiteLaxMode, http.SameSiteStrictMode or http.SameSiteNoneMode")
	}
}

// crossSite reports whether pages of other sites may use the cookies. A nil c has no
// cookies.
func (c *cookies) crossSite() bool { return c != nil && c.SameSite == http.SameSiteNoneMode }

// set returns the fields that set the cookies of t, whose access token fits. Both
// cookies live for as long as the session can be renewed: an expired access token
// still tells which session it belongs to.
func (c *cookies) set(t Tokens, now time.Time) []Field {
	refresh := t.RefreshExpires.Sub(now)
	fields := []Field{
		c.field(c.access, t.Access.Token, seconds(max(refresh, t.Access.TTL))),
		c.field(c.refresh, t.Refresh, seconds(refresh)),
	}
	return append(fields, uncacheable...)
}

// uncacheable keeps every cache from storing an answer with cookies, including
// those that have a field of their own (RFC 9213, and Surrogate-Control before it).
var uncacheable = []Field{{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "no-store"}, {"Surrogate-Control", "no-store"}}

// seconds returns d as a Max-Age. It is at least 1, because 0 would delete the cookie.
func seconds(d time.Duration) int { return max(int(d.Round(time.Second)/time.Second), 1) }

// fits returns an error if browsers would not store the access token. It is called
// before a session is changed, because the answer would be lost.
func (c *cookies) fits(access AccessToken) error {
	if len(c.access)+len(access.Token) > maxCookie {
		return fmt.Errorf("%w: it has %d bytes, and browsers store cookies of at most %d bytes, the name included: give the Grant fewer roles or claims", errTooLarge, len(access.Token), maxCookie)
	}
	return nil
}

func (c *cookies) field(name, value string, maxAge int) Field {
	cookie := http.Cookie{ //nolint:gosec // only InsecureHTTP turns Secure off
		Name:        name,
		Value:       value,
		Path:        "/",
		Domain:      c.Domain,
		MaxAge:      maxAge,
		Secure:      !c.InsecureHTTP,
		HttpOnly:    true,
		SameSite:    c.SameSite,
		Partitioned: c.crossSite(),
	}
	return Field{"Set-Cookie", cookie.String()}
}
