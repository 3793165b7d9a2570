package jwtgatetest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// runEndpoints tests that Handle and Send send the response that they are given.
func runEndpoints(t *testing.T, serve Adapter) {
	key := ed25519.NewKeyFromSeed([]byte("the seed of the suite, 32 bytes."))
	public := siteAuth(t, func(c *jwtgate.Config) { c.Keys = keys.EdDSA(key) })
	secret := siteAuth(t)
	resource := siteAuth(t, func(c *jwtgate.Config) { c.Resource = "https://site.example/mcp" })
	var none *jwtgate.Auth
	var s stage

	set := answer{Response: public.JWKS(t.Context(), jwtgate.Request{Method: http.MethodGet})}
	same := answer{Response: public.JWKS(t.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{"If-None-Match": {"*"}}})}
	empty := answer{Response: secret.JWKS(t.Context(), jwtgate.Request{Method: http.MethodGet})}
	metadata := answer{Response: resource.ResourceMetadata(t.Context(), jwtgate.Request{Method: http.MethodGet})}
	noMetadata := answer{Response: secret.ResourceMetadata(t.Context(), jwtgate.Request{Method: http.MethodGet})}
	unnamed := refusal(jwtgate.CodeTokenMissing)
	for i := range unnamed.Header {
		if unnamed.Header[i].Name == "WWW-Authenticate" {
			unnamed.Header[i].Value = `Bearer resource_metadata="https://site.example/.well-known/oauth-protected-resource/mcp"`
		}
	}
	ifNot := "If-None-Match: " + set.values("ETag")[0]
	moved := jwtgate.Response{Status: http.StatusSeeOther, Header: []jwtgate.Field{
		{Name: "Location", Value: "/elsewhere"},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Set-Cookie", Value: "a=1; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{Name: "Set-Cookie", Value: "b=2; Path=/; Secure; HttpOnly; SameSite=Strict; Partitioned"},
		{Name: "Set-Cookie", Value: "a=; Path=/old; Max-Age=0"},
		{Name: "Vary", Value: "Cookie"},
		{Name: "Vary", Value: "Origin"},
		{Name: "WWW-Authenticate", Value: "Bearer"},
		{Name: "WWW-Authenticate", Value: `Basic realm="wonderland"`},
	}}
	done := jwtgate.Response{Status: http.StatusNoContent}
	large := text(strings.Repeat("0123456789abcdef", 1<<14))

	endpoint := func(res jwtgate.Response) jwtgate.Endpoint {
		return func(context.Context, jwtgate.Request) jwtgate.Response {
			s.ran.Add(1)
			return res
		}
	}
	handler := func(res jwtgate.Response) func(View) jwtgate.Response {
		return func(View) jwtgate.Response {
			s.ran.Add(1)
			return res
		}
	}
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/keys", Endpoint: public.JWKS},
		{Method: "HEAD", Path: "/keys", Endpoint: public.JWKS},
		{Method: "POST", Path: "/keys", Endpoint: public.JWKS},
		{Method: "GET", Path: "/no-keys", Endpoint: secret.JWKS},
		{Method: "GET", Path: "/nil", Endpoint: none.JWKS},
		{Method: "GET", Path: "/.well-known/oauth-protected-resource/mcp", Endpoint: resource.ResourceMetadata},
		{Method: "HEAD", Path: "/.well-known/oauth-protected-resource/mcp", Endpoint: resource.ResourceMetadata},
		{Method: "POST", Path: "/.well-known/oauth-protected-resource/mcp", Endpoint: resource.ResourceMetadata},
		{Method: "GET", Path: "/no-metadata", Endpoint: secret.ResourceMetadata},
		{Method: "GET", Path: "/mcp", Guards: guards(resource), Endpoint: endpoint(done)},
		{Method: "GET", Path: "/guarded", Guards: guards(secret), Endpoint: endpoint(done)},
		{Method: "POST", Path: "/moved", Endpoint: endpoint(moved)},
		{Method: "POST", Path: "/done", Endpoint: endpoint(done)},
		{Method: "GET", Path: "/large", Endpoint: endpoint(large)},
		{Method: "POST", Path: "/handler-moved", Handler: handler(moved)},
		{Method: "POST", Path: "/handler-done", Handler: handler(done)},
		{Method: "GET", Path: "/handler-large", Handler: handler(large)},
		{Method: "HEAD", Path: "/handler-large", Handler: handler(large)},
	}})
	s.run(t, []row{
		{"JWKS", get("/keys"), set},
		{"JWKS, HEAD", request("HEAD", "/keys", ""), set},
		{"JWKS, the same", get("/keys", ifNot), same},
		{"JWKS, the same, HEAD", request("HEAD", "/keys", "", ifNot), same},
		{"JWKS, the same in a list", get("/keys", strings.Replace(ifNot, ": ", `: "a", W/`, 1)), same},
		{"JWKS, any", get("/keys", "If-None-Match:\t* "), same},
		{"JWKS, another", get("/keys", `If-None-Match: "a"`), set},
		{"JWKS, date", get("/keys", "If-Modified-Since: Mon, 02 Jan 2040 15:04:05 GMT"), set},
		{"JWKS, POST", post("/keys"), refusal(jwtgate.CodeMethodNotAllowed).with("Allow", "GET, HEAD")},
		{"JWKS of secrets", get("/no-keys"), empty},
		{"JWKS of a nil Auth", get("/nil"), refusal(jwtgate.CodeUnavailable)},
		{"resource metadata", get("/.well-known/oauth-protected-resource/mcp"), metadata},
		{"resource metadata, HEAD", request("HEAD", "/.well-known/oauth-protected-resource/mcp", ""), metadata},
		{"resource metadata, another host", get("http://evil.example/.well-known/oauth-protected-resource/mcp"), metadata},
		{"resource metadata, POST", post("/.well-known/oauth-protected-resource/mcp"), refusal(jwtgate.CodeMethodNotAllowed).with("Allow", "GET, HEAD")},
		{"no resource metadata", get("/no-metadata"), noMetadata},
		{"guarded, with resource metadata", get("/mcp"), unnamed},
		{"guarded, nobody", get("/guarded"), refusal(jwtgate.CodeTokenMissing)},
		{"guarded, somebody", get("/guarded", "Authorization: Bearer "+Token(t, secret, "alice")), answer{Response: done, ran: true}},
		{"redirect, cookies", post("/moved"), answer{Response: moved, ran: true}},
		{"no content", post("/done"), answer{Response: done, ran: true}},
		{"much content", get("/large"), answer{Response: large, ran: true}},
		{"redirect, cookies by Send", post("/handler-moved"), answer{Response: moved, ran: true}},
		{"no content by Send", post("/handler-done"), answer{Response: done, ran: true}},
		{"much content by Send", get("/handler-large"), answer{Response: large, ran: true}},
		{"much content by Send, HEAD", request("HEAD", "/handler-large", ""), answer{Response: large, ran: true}},
	})
}

// loopback is the address of the suite's client, whose connections have no TLS.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// runRequests tests the Request that an adapter passes to package jwtgate. Clients
// can send the header fields by which proxies name the address and the scheme, so
// they must not change anything.
func runRequests(t *testing.T, serve Adapter) {
	names := []string{
		"Accept", "Absent", "Authorization", "Content-Type", "Cookie", "If-None-Match", "Origin", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Upgrade", "User-Agent",
	}
	tell := func(req jwtgate.Request) jwtgate.Response {
		var body []byte
		if req.Body != nil {
			var err error
			if body, err = io.ReadAll(req.Body); err != nil {
				return text(err.Error())
			}
		}
		fields := map[string][]string{}
		for _, name := range names { // read all of them before any is used
			if lines := req.Header.Values(name); len(lines) > 0 {
				fields[name] = lines
			}
		}
		what := fmt.Sprintf("%s %s %s, %q, %.20q and %d bytes", req.Method, req.Host, req.Path, fields, body, len(body))
		if req.Query != "" {
			what += ", query " + req.Query
		}
		if peer := req.PeerAddr(); peer != loopback || req.TLS {
			what += fmt.Sprintf(", from the peer %v, TLS %v", peer, req.TLS)
		}
		return text(what)
	}
	// A guard is passed everything except the body, so the body is removed here.
	auth := siteAuth(t, func(c *jwtgate.Config) {
		c.Refuse = func(_ context.Context, req jwtgate.Request, _ *jwtgate.Refusal) jwtgate.Response {
			req.Body = nil
			return tell(req)
		}
	})
	var s stage
	endpoint := func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		s.ran.Add(1)
		return tell(req)
	}
	var routes []Route
	for _, method := range []string{"GET", "POST"} {
		routes = append(routes,
			Route{Method: method, Path: "/endpoint", Endpoint: endpoint},
			Route{Method: method, Path: "/guard", Guards: guards(auth), Handler: s.who})
	}
	s.addr = serve(t, Site{Routes: routes})

	lines := []string{
		"Authorization: Basic YTpi", "Cookie: a=1; b=2", "Authorization: Digest c", "Cookie: a=3; é",
		"Accept:\ttext/html ", "accept: text/*;q=0.5", "Origin: https://app.example", "Origin: null", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Upgrade: websocket", `If-None-Match: "a", "b"`, "Content-Type: application/json", "User-Agent: a browser",
		// Header fields that no guard reads, some with similar names.
		"X-Authorization: Bearer x", "Proxy-Authorization: Bearer y", "X-Forwarded-Host: evil.example", "X-HTTP-Method-Override: DELETE", "Referer: https://evil.example",
		"X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1;proto=https", "X-Forwarded-Proto: https",
	}
	const fields = `map["Accept":["text/html" "text/*;q=0.5"] "Authorization":["Basic YTpi" "Digest c"] "Content-Type":["application/json"] "Cookie":["a=1; b=2" "a=3; é"]` +
		` "If-None-Match":["\"a\", \"b\""] "Origin":["https://app.example" "null"] "Sec-Fetch-Mode":["cors"] "Sec-Fetch-Site":["same-site"] "Upgrade":["websocket"] "User-Agent":["a browser"]], `
	const nothing = `map[], "" and 0 bytes`
	long := strings.Repeat("0123456789", 10_000)
	told := func(who string) answer { return answer{Response: text(who), ran: true} }
	refused := func(who string) answer {
		return answer{Response: text(who)}.with("Cache-Control", "no-store")
	}
	s.run(t, []row{
		{"all", request("POST", "/endpoint", "some text", lines...), told(`POST site.example /endpoint, ` + fields + `"some text" and 9 bytes`)},
		{"nothing", get("/endpoint"), told("GET site.example /endpoint, " + nothing)},
		{"query", get("/endpoint?a=b"), told("GET site.example /endpoint, " + nothing + ", query a=b")},
		{"query as it was sent", get("/endpoint?a=%2F+%c3%a9&a;b=?&"), told("GET site.example /endpoint, " + nothing + ", query a=%2F+%c3%a9&a;b=?&")},
		{"empty query", get("/endpoint?"), told("GET site.example /endpoint, " + nothing)},
		{"host in the target", get("http://other.example/endpoint"), told("GET other.example /endpoint, " + nothing)},
		{"empty body", request("POST", "/endpoint", "", "Content-Length: 0"), told("POST site.example /endpoint, " + nothing)},
		{"long body", request("POST", "/endpoint", long), told(`POST site.example /endpoint, map[], "01234567890123456789" and 100000 bytes`)},
		{"body in chunks", post("/endpoint", "Transfer-Encoding: chunked") + "4\r\nsome\r\n5\r\n text\r\n0\r\n\r\n", told(`POST site.example /endpoint, map[], "some text" and 9 bytes`)},
		{"body as it was sent", request("POST", "/endpoint", "some text", "Content-Encoding: gzip"), told(`POST site.example /endpoint, map[], "some text" and 9 bytes`)},
		{"all, by a guard", request("POST", "/guard", "some text", lines...), refused(`POST site.example /guard, ` + fields + `"" and 0 bytes`)},
		{"nothing, by a guard", get("/guard"), refused("GET site.example /guard, " + nothing)},
		{"query, by a guard", get("/guard?a=b"), refused("GET site.example /guard, " + nothing + ", query a=b")},
	})
}
