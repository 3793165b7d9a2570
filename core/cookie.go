package jwtgate

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// CookieConfig is how tokens travel in cookies: always HttpOnly, and by default
// Secure, SameSite=Lax and for this host only, by the __Host- prefix that a
// browser holds them to. Its zero value is good.
type CookieConfig struct {
	_ [0]func()

	// SameSite is [http.SameSiteLaxMode], the default, or
	// [http.SameSiteStrictMode], with which a visitor who follows a link from
	// elsewhere arrives without a session.
	SameSite http.SameSite

	// TrustedOrigins are other origins, such as "https://app.example.com", whose
	// pages may make state-changing requests with the cookies. Only list origins
	// that you would let act for your users.
	TrustedOrigins []string

	// InsecureHTTP is for development on a plain-HTTP host other than localhost,
	// where a browser refuses Secure cookies. The cookies lose Secure and their
	// prefix: anyone on the network can read them, and other hosts of the domain
	// can set them.
	InsecureHTTP bool

	// RenewBefore renews an access token that is still good, but for no longer
	// than this, so that it does not expire while a handler uses it. If that
	// fails, the good one goes on. The default is not to.
	RenewBefore time.Duration

	// ReissueRefresh gives a browser that has a good access token, but no good
	// refresh token, a new one of the same session, as long as that is not past
	// SessionTTL. Beware: who gets hold of an access cookie can then stay. Every
	// request by cookie looks at the store.
	ReissueRefresh bool
}

// maxCookie is the size of the largest cookie, name and value, that browsers
// keep. They drop larger ones without a word.
const maxCookie = 4096

// cookies is a CookieConfig made ready.
type cookies struct {
	CookieConfig

	access  string  // the name of the access token's cookie
	refresh string  // the name of the refresh token's cookie
	clear   []Field // takes both from the browser
}

func (a *Auth) setCookies(config *CookieConfig, wrong *mistakes) {
	if config == nil {
		return
	}
	c := &cookies{CookieConfig: *config, access: "__Host-at", refresh: "__Host-rt"}
	a.cookies = c
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
	shortest := a.config.AccessTTL
	if a.config.Sessions != nil {
		shortest -= a.config.Sessions.Jitter
	}
	if c.RenewBefore < 0 || c.RenewBefore > shortest/2 {
		wrong.add("Cookies.RenewBefore", "is %v: use 0 to half of AccessTTL less Jitter", c.RenewBefore)
	}
	if (c.RenewBefore > 0 || c.ReissueRefresh) && a.config.Sessions == nil {
		wrong.add("Sessions", "is nil, and Cookies.RenewBefore and Cookies.ReissueRefresh need it: set it, or not those")
	}
	c.clear = []Field{c.field(c.access, "", -1), c.field(c.refresh, "", -1)}
	a.origins = http.NewCrossOriginProtection()
	for _, origin := range config.TrustedOrigins {
		if err := a.origins.AddTrustedOrigin(origin); err != nil || !isOrigin(origin) {
			wrong.add("Cookies.TrustedOrigins", "%q is not an origin as browsers send it: use scheme://host or scheme://host:port, in lower case, without the scheme's own port", origin)
		}
	}
}

// set returns the fields that put t into the browser. Both cookies stay for as
// long as the session can be renewed: an access token that has expired is still
// of use to tell which session it was of. It fails if fits does.
func (c *cookies) set(t Tokens, now time.Time) ([]Field, error) {
	if err := c.fits(t.Access); err != nil {
		return nil, err
	}
	refresh := t.RefreshExpires.Sub(now)
	fields := []Field{
		c.field(c.access, t.Access.Token, seconds(max(refresh, t.Access.TTL))),
		c.field(c.refresh, t.Refresh, seconds(refresh)),
	}
	return append(fields, uncacheable...), nil
}

// uncacheable is what an answer with someone's cookies says to every cache, also
// to those that have a field of their own (RFC 9213, and its forerunner).
var uncacheable = []Field{{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "no-store"}, {"Surrogate-Control", "no-store"}}

// seconds returns d as a Max-Age, which is at least 1: zero would delete.
func seconds(d time.Duration) int { return max(int(d.Round(time.Second)/time.Second), 1) }

// fits reports an access token that a browser would not keep. It is asked before
// a step is taken whose answer would then be lost.
func (c *cookies) fits(access AccessToken) error {
	if len(c.access)+len(access.Token) > maxCookie {
		return fmt.Errorf("jwtgate: the access token has %d bytes: browsers keep cookies of %d with their name", len(access.Token), maxCookie)
	}
	return nil
}

func (c *cookies) field(name, value string, maxAge int) Field {
	cookie := http.Cookie{ //nolint:gosec // Secure gives way to InsecureHTTP only
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

// isOrigin reports whether origin is one in the only spelling that browsers
// send (RFC 6454 §6.2): another would never match.
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
