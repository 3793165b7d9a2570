package jwtgatetest

import (
	"context"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// An Adapter serves site with a web framework and the adapter under test. It
// listens on a free port of 127.0.0.1, returns the address (host:port), and
// serves until the test ends; see [testing.T.Cleanup]. RunAdapter calls it
// several times in parallel.
//
// An Adapter consists of a server and a loop over the routes, which calls the
// five functions that every adapter has: Protect, Handle, Claims, Identity and
// Send. The tests of the adapters in this repository have examples.
type Adapter func(t *testing.T, site Site) (addr string)

// A Site is an application that an [Adapter] serves.
type Site struct {
	// Header has the fields that a middleware outside of all guards adds to
	// every response, before any other code runs.
	Header []jwtgate.Field

	// Context, if not nil, returns the context by which that middleware
	// replaces the context of the request.
	Context func(context.Context) context.Context

	// Routes are the routes of the site. No Path is a prefix of another. Routes
	// with the same Path have different Methods and the same Guards.
	Routes []Route
}

// A Route is one method and path of a [Site]. Either Endpoint or Handler is set.
type Route struct {
	Method string
	Path   string

	// Guards protect the route, in this order, each with one call of Protect.
	// If the framework has groups or subtrees, the first guard belongs on such
	// a group, and the others on the route. A route without guards is public.
	Guards []Guard

	// Endpoint is served with the adapter's Handle.
	Endpoint jwtgate.Endpoint

	// Handler is called by a handler of the framework, with the View of that
	// handler. The response is sent with the adapter's Send.
	Handler func(View) jwtgate.Response
}

// A Guard has the arguments of one call of Protect.
type Guard struct {
	Auth  *jwtgate.Auth
	Rules []jwtgate.Rule
}

// A View has what a handler can see of a request and its subject.
type View struct {
	Context  context.Context   // the context of the request, as the framework passes it to handlers
	Identity *jwtgate.Identity // the first result of the adapter's Identity
	Found    bool              // its second result
	Claims   Claims            // the first result of the adapter's Claims[jwtgatetest.Claims]
	Err      error             // its second result

	// Header returns the first value of a header field of the request that the
	// handler receives.
	Header func(name string) string
}

// Claims are the claims of a token in a [View].
type Claims struct {
	Subject string `json:"sub"`
}

// RunAdapter checks that an adapter does exactly what package jwtgate decides.
// It checks the status, header fields and body of every response, which
// handlers run, and which subject they see. It writes its requests to a
// connection itself, because an HTTP client would refuse to send many of them.
//
// For a client, there is no difference between two adapters that pass. Features
// of only one framework, such as its error handler, need tests of their own.
func RunAdapter(t *testing.T, serve Adapter) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*testing.T, Adapter)
	}{
		{"credentials", runCredentials},
		{"rules", runRules},
		{"stacked guards", runStacks},
		{"cookies", runCookies},
		{"other header fields", runFields},
		{"origins", runOrigins},
		{"sign-in", runSignIn},
		{"renewal", runRenewal},
		{"optional routes", runOptional},
		{"clocks that differ", runClocks},
		{"watched identities", runWatch},
		{"endpoints", runEndpoints},
		{"requests as passed on", runRequests},
		{"custom refusals", runRefuse},
		{"refusals that explain themselves", runDebug},
		{"outer middleware", runOuter},
		{"observers", runObserver},
		{"connections kept alive", runKeepAlive},
		{"bodies left unread", runUnread},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, serve)
		})
	}
}
