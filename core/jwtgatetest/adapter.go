package jwtgatetest

import (
	"context"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// An Adapter serves site with one web framework, wired by the adapter under
// test, on a port of its own of 127.0.0.1, and returns its address (host:port).
// It serves until the test ends: see [testing.T.Cleanup]. RunAdapter calls it
// several times at once.
//
// The whole of one, but for the server, is a loop over the routes that calls the
// five names which every adapter has: Protect, Handle, Claims, Identity, Send.
// The test files of this project's adapters have four of them to copy from.
type Adapter func(t *testing.T, site Site) (addr string)

// A Site is an application to serve.
type Site struct {
	// Header has the fields that a middleware outside of all guards adds to
	// every answer before anything else runs.
	Header []jwtgate.Field

	// Context is what that middleware does to the request's own context. Nil
	// does nothing.
	Context func(context.Context) context.Context

	// Routes are what is served. No Path is the beginning of another. Routes of
	// one Path differ in Method and have the same Guards.
	Routes []Route
}

// A Route is one method and path of a [Site]. Either Endpoint or Handler is set.
type Route struct {
	Method string
	Path   string

	// Guards are passed from the first to the last, each by a Protect of its
	// own. The first belongs on a group or subtree, where the framework has
	// such a thing, the others on the route. Without any the route is public.
	Guards []Guard

	// Endpoint is mounted by the adapter's Handle.
	Endpoint jwtgate.Endpoint

	// Handler is what a handler of the framework's own does: it is told what
	// the handler sees, and what it returns goes out by the adapter's Send.
	Handler func(View) jwtgate.Response
}

// A Guard is what one Protect is called with.
type Guard struct {
	Auth  *jwtgate.Auth
	Rules []jwtgate.Rule
}

// A View is what a handler can see of the one who makes the request.
type View struct {
	Context  context.Context   // the request's own, as the framework gives it to handlers
	Identity *jwtgate.Identity // what the adapter's Identity returns
	Found    bool              // and its second value
	Claims   Claims            // what the adapter's Claims[jwtgatetest.Claims] returns
	Err      error             // and its error

	// Header returns the first value of a header field of the request, as the
	// handler sees it.
	Header func(name string) string
}

// Claims is what [View] has of a token.
type Claims struct {
	Subject string `json:"sub"`
}

// RunAdapter checks that an adapter does what package jwtgate says, to the byte:
// status, header fields and body of every answer, which handlers run, and whom
// they see. It sends its requests as bytes over a connection, because an HTTP
// client would not send many of them.
//
// An adapter that passes differs from the others in nothing that a client can
// see. What only one framework has, such as its error path, is for the
// adapter's own tests.
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
		{"origins", runOrigins},
		{"sign-in", runSignIn},
		{"renewal", runRenewal},
		{"endpoints", runEndpoints},
		{"requests as told", runRequests},
		{"refusals of one's own", runRefuse},
		{"outer middleware", runOuter},
		{"connections kept alive", runKeepAlive},
		{"bodies left unread", runUnread},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, serve)
		})
	}
}
