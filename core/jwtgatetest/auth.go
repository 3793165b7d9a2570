package jwtgatetest

import (
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// NewAuth returns an Auth with cookies and sessions, for tests of routes and adapters,
// and two credentials of the subject alice. The value of cookie is the Cookie
// header of a browser whose access token has expired: a guard renews its
// session. The value of token is a valid access token.
//
// Each change modifies the configuration before the Auth is made. By default,
// the Auth signs with HS256, keeps sessions in memory, gives every subject the
// role user, and has a [Clock] that stands still. It is closed when the test
// ends.
func NewAuth(tb testing.TB, change ...func(*jwtgate.Config)) (auth *jwtgate.Auth, cookie, token string) {
	tb.Helper()
	clock := NewClock(siteTime)
	defaults := func(c *jwtgate.Config) {
		withSessions(c)
		c.Now = clock.Now
	}
	auth = siteAuth(tb, append([]func(*jwtgate.Config){defaults}, change...)...)
	cookie = Cookie(tb, auth, "alice")
	clock.Advance(time.Hour)
	return auth, cookie, Token(tb, auth, "alice")
}
