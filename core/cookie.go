package core

import (
	"net/http"
	"strings"
)

// CookieConfig is how tokens travel in cookies: always HttpOnly, Secure,
// SameSite=Lax and for this host only, by the __Host- prefix that a browser
// holds them to. Its zero value is good.
type CookieConfig struct {
	_ [0]func()

	// TrustedOrigins are other origins, such as "https://app.example.com", whose
	// pages may make state-changing requests with the cookies. Only list origins
	// that you would let act for your users.
	TrustedOrigins []string
}

// The names of the cookies. The prefix keeps other hosts of the domain from
// setting cookies of these names.
const (
	accessCookie  = "__Host-at"
	refreshCookie = "__Host-rt"
)

// cookies is a CookieConfig made ready.
type cookies struct {
	access string
	clear  []Field // takes both cookies from the browser
}

func (a *Auth) setCookies(config *CookieConfig, wrong *mistakes) {
	if config == nil {
		return
	}
	a.cookies = &cookies{access: accessCookie}
	for _, name := range []string{accessCookie, refreshCookie} {
		gone := http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
		a.cookies.clear = append(a.cookies.clear, Field{"Set-Cookie", gone.String()})
	}
	a.origins = http.NewCrossOriginProtection()
	for _, origin := range config.TrustedOrigins {
		if err := a.origins.AddTrustedOrigin(origin); err != nil || origin != strings.ToLower(origin) || strings.Contains(origin, "@") {
			wrong.add("Cookies.TrustedOrigins", "%q is not an origin as browsers send it: use scheme://host or scheme://host:port, in lower case", origin)
		}
	}
}
