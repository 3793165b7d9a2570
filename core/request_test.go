package jwtgate_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A recordingHeader records the names of the fields that were read, each once.
type recordingHeader struct {
	http.Header

	asked []string
}

func (w *recordingHeader) Values(name string) []string {
	if !slices.Contains(w.asked, name) {
		w.asked = append(w.asked, name)
	}
	return w.Header[name] // only this spelling
}

// Reading a header field costs time in every adapter, so each is read only when it is
// needed.
func TestHeaderIsReadLate(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Logger = nil }) // explanations read more
	tokens := s.signIn("alice")
	renewed := s.signIn("alice")
	bearer := []string{"Bearer " + tokens.Access.Token}
	for _, row := range []struct {
		name          string
		method        string
		authorization []string
		cookies       browser
		want, asked   string
	}{
		{"Bearer", "POST", bearer, browserWith(tokens), "pass alice", "Authorization"},
		{"a bad Bearer", "POST", []string{"Bearer"}, browserWith(tokens), "400 malformed_credentials", "Authorization"},
		{"nobody", "POST", nil, browser{}, "401 token_missing", "Authorization Cookie"},
		{"cookies", "GET", nil, browserWith(tokens), "pass alice", "Authorization Cookie Upgrade"},
		{"cookies, POST", "POST", nil, browserWith(tokens), "pass alice", "Authorization Cookie Upgrade Origin Sec-Fetch-Site"},
		{"cookies, renewed", "GET", nil, browser{"", renewed.Refresh}, "pass alice new", "Authorization Cookie Upgrade User-Agent"},
	} {
		header := &recordingHeader{Header: http.Header{
			"Authorization": row.authorization, "Cookie": row.cookies.cookies(),
			"Accept": {"*/*"}, "Content-Type": {"text/plain"}, "If-None-Match": {"*"}, "Origin": {"https://site.example"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}, "User-Agent": {"a browser"},
		}}
		if got := s.decide(jwtgate.Request{Method: row.method, Host: "site.example", Header: header}); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
		if got := strings.Join(header.asked, " "); got != row.asked {
			t.Errorf("%s: asked for %s; want %s", row.name, got, row.asked)
		}
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	header := &recordingHeader{Header: http.Header{"Accept": {"text/html", "text/plain"}, "Origin": {}, "User-Agent": {""}, "upgrade": {"websocket"}}}
	for _, row := range []struct {
		header     jwtgate.Header
		name, want string
	}{
		{header, "Accept", "text/html"},
		{header, "aCCEPT", "text/html"},
		{header, "Absent", ""},
		{header, "Origin", ""},
		{header, "User-Agent", ""},
		{header, "Upgrade", ""}, // not the spelling of net/http
		{http.Header(nil), "Accept", ""},
		{nil, "Accept", ""},
	} {
		req := jwtgate.Request{Header: row.header}
		if got := req.First(row.name); got != row.want {
			t.Errorf("%s: got %q; want %q", row.name, got, row.want)
		}
	}
}

// net/http stores header fields under their canonical names, so a field with another
// spelling did not come from a client and is ignored.
func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	value := []string{"Bearer " + jwtgatetest.Token(t, auth, "alice")}
	for name, want := range map[string]jwtgate.Code{"Authorization": accepted, "authorization": jwtgate.CodeTokenMissing} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[name] = value
		decide(t, auth, jwtgate.HTTPRequest(r), want)
	}
}

// sliceContext is a context of a type that cannot be compared.
type sliceContext struct {
	context.Context

	_ []int
}

// TestForwardUncomparable checks that Forward accepts contexts that cannot be compared.
func TestForwardUncomparable(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	ctx := sliceContext{Context: t.Context()}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	d := s.Decide(r.Context(), jwtgate.HTTPRequest(r), jwtgate.Optional())
	if forwarded := d.Forward(r); forwarded.Context().Done() != ctx.Done() {
		t.Error("the forwarded request has another context")
	}
}

// TestForwardAnonymous checks that Forward does not copy the request of an anonymous visitor,
// unless Decide was called with another context than that of the request.
func TestForwardAnonymous(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), jwtgate.Optional())
	if d.Forward(r) != r {
		t.Error("got another request for the same context")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d = auth.Decide(ctx, jwtgate.HTTPRequest(r), jwtgate.Optional())
	if d.Forward(r).Context() != ctx {
		t.Error("got a request with another context than Decide")
	}
}

func TestPeerAddr(t *testing.T) {
	t.Parallel()
	remote := func(addr string) net.Addr {
		return jwtgate.HTTPRequest(&http.Request{URL: &url.URL{}, RemoteAddr: addr}).Peer
	}
	for _, row := range []struct {
		peer net.Addr
		want string
	}{
		{nil, "invalid IP"},
		{remote(""), "invalid IP"},
		{remote("@"), "invalid IP"}, // a Unix socket
		{remote("site.example:80"), "invalid IP"},
		{remote("192.0.2.1:80"), "192.0.2.1"},
		{remote("192.0.2.1"), "192.0.2.1"},
		{remote("[2001:db8::1]:80"), "2001:db8::1"},
		{remote("2001:db8::1"), "2001:db8::1"},
		{remote("[fe80::1%eth0]:80"), "fe80::1"},
		{remote("[::ffff:192.0.2.1]:80"), "192.0.2.1"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "192.0.2.1"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, "fe80::1"},
		{&net.UnixAddr{Name: "/run/site.sock", Net: "unix"}, "invalid IP"},
	} {
		req := jwtgate.Request{Peer: row.peer}
		if got := req.PeerAddr().String(); got != row.want {
			t.Errorf("peer %v: got %s; want %s", row.peer, got, row.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://site.example/", nil)
	if req := jwtgate.HTTPRequest(r); !req.TLS || req.Peer.String() != r.RemoteAddr {
		t.Errorf("got TLS %v and the peer %v; want true and %s", req.TLS, req.Peer, r.RemoteAddr)
	}
}
