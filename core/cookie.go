package jwtgate

import (
	"fmt"
	"net/http"
	"time"
)

// CookieConfig configures the cookies that carry tokens. They are always HttpOnly,
// and by default Secure, SameSite=Lax and for this host only, which browsers enforce
// by the prefix __Host-. The zero value is valid.
type CookieConfig struct {
	_ [0]func()

	// SameSite is [http.SameSiteLaxMode], the default, or [http.SameSiteStrictMode].
	// With the latter, a visitor who follows a link from another site is not signed
	// in on the first page.
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
	clear   []Field // deletes both cookies
}

// newCookies returns the cookies of config, and adds the mistakes in its Cookies.
func newCookies(config *Config, wrong *mistakes) *cookies {
	c := &cookies{CookieConfig: *config.Cookies, access: "__Host-at", refresh: "__Host-rt"}
	if c.InsecureHTTP {
		c.access, c.refresh = "at", "rt"
	}
	switch c.SameSite {
	case 0, http.SameSiteDefaultMode:
		c.SameSite = http.SameSiteLaxMode
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	default:
		wrong.add("Cookies.SameSite", "is None or unknown: use http.SameSiteLaxMode or http.SameSiteStrictMode, and Bearer tokens for pages of other sites")
	}
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
	return c
}

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
		Name:     name,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   !c.InsecureHTTP,
		HttpOnly: true,
		SameSite: c.SameSite,
	}
	return Field{"Set-Cookie", cookie.String()}
}
