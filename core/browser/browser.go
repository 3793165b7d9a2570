// Package browser serves jwtgate.js, a script for pages that hold their tokens
// themselves, such as pages whose API is on another site. A page on the site of its API
// does not need it: use the cookies of [jwtgate.Config], which no script can read.
//
// The script is an ES module without imports. A page imports it from the server:
//
//	mux.Handle("GET /jwtgate.js", nethttp.Handle(browser.Module))
//
//	<script type="module">
//	import { Session } from "/jwtgate.js";
//	const session = new Session();
//	</script>
//
// The folder of this package is also an npm package, for applications that are built
// with a bundler. Install it from the version of the library that the server uses:
//
//	npm install --install-links "$(go list -f '{{.Dir}}' github.com/jwtgate/jwtgate/core/browser)"
//
//	import { Session } from "jwtgate";
package browser

import (
	"context"
	_ "embed" // for the files
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/etag"
)

var (
	//go:embed jwtgate.js
	module []byte
	//go:embed jwtgate.d.ts
	types []byte
)

var (
	serveModule = file(module, "text/javascript; charset=utf-8")
	serveTypes  = file(types, "text/plain; charset=utf-8")
)

// Module is a [jwtgate.Endpoint] that serves jwtgate.js. It takes GET and HEAD from
// anyone. Browsers may store the script, and ask by If-None-Match (RFC 9110 §13.1.2)
// before each use whether it has changed, so that a page never uses an old script with
// a newer server.
func Module(ctx context.Context, req jwtgate.Request) jwtgate.Response { return serveModule(ctx, req) }

// Types is a [jwtgate.Endpoint] that serves jwtgate.d.ts, the TypeScript types of the
// script, in the way of [Module].
func Types(ctx context.Context, req jwtgate.Request) jwtgate.Response { return serveTypes(ctx, req) }

// file returns an endpoint that serves body.
func file(body []byte, kind string) jwtgate.Endpoint {
	tag := etag.Of(body)
	header := []jwtgate.Field{
		{Name: "Content-Type", Value: kind},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "Cache-Control", Value: "no-cache"}, // stored, but revalidated: RFC 9111 §5.2.2.4
		{Name: "ETag", Value: tag},
	}
	return func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		switch {
		case req.Method != http.MethodGet && req.Method != http.MethodHead:
			return jwtgate.Response{Status: http.StatusMethodNotAllowed, Header: []jwtgate.Field{{Name: "Allow", Value: "GET, HEAD"}}}
		case etag.Named(req.First("If-None-Match"), tag):
			return jwtgate.Response{Status: http.StatusNotModified, Header: header[1:]} // RFC 9110 §15.4.5: without the type
		}
		return jwtgate.Response{Status: http.StatusOK, Header: header, Body: body}
	}
}
