package jwtgate_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestRefusalLog checks what the log says about a refusal at debug level: the code, the
// cause, the method, the path, the peer, and the user as far as it is known.
func TestRefusalLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
	tokens, ended := s.login("alice"), s.login("bob")
	s.logout(ended.Refresh)
	alice := "issuer=" + serverIssuer + " subject=alice session=" + sidOf(t, tokens.Access)
	bob := "issuer=" + serverIssuer + " subject=bob session=" + sidOf(t, ended.Access)
	loose := jwtgatetest.Token(t, s.Auth, "alice")
	segment := "/" + strings.Repeat("x", 48)
	long := "/" + strings.Repeat("x/", 200)
	for _, row := range []struct {
		name, path, token string
		rule              jwtgate.Rule
		code, want        string // parts of the line
	}{
		{"nobody", "/a", "", jwtgate.AllOf(jwtgate.Role("x")), "code=token_missing", "method=GET path=/a peer=192.0.2.7"},
		{"garbage", "/a", "garbage", jwtgate.Optional(), "code=token_invalid", "three non-empty segments"},
		{"missing role", "/a", tokens.Access, jwtgate.Role("admin"), "code=insufficient_scope", "method=GET path=/a peer=192.0.2.7 " + alice},
		{"session is over", "/a", ended.Access, jwtgate.Optional(), "code=token_revoked", "method=GET path=/a peer=192.0.2.7 " + bob},
		{"token in the path", "/a/" + tokens.Refresh + "/b", "", jwtgate.Role("x"), "code=token_missing", "path=/a/…/b peer"},
		{"no session", "/a", loose, jwtgate.Role("admin"), "code=insufficient_scope", "issuer=" + serverIssuer + " subject=alice\n"},
		{"longest segment", segment, "", jwtgate.Role("x"), "code=token_missing", "path=" + segment + " peer"},
		{"longest path", long[:256], "", jwtgate.Role("x"), "code=token_missing", "path=" + long[:256] + " peer"},
		{"long path", long, "", jwtgate.Role("x"), "code=token_missing", "path=" + long[:256] + "… peer"},
	} {
		req := jwtgate.Request{Method: http.MethodGet, Path: row.path, Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 80}}
		if row.token != "" {
			req = withToken(req, row.token)
		}
		log.Reset()
		s.Decide(t.Context(), req, row.rule)
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, row.code+" ") || !strings.Contains(got, row.want) {
			t.Errorf("%s: got log %q; want %s and %q", row.name, got, row.code, row.want)
		}
		if strings.Contains(log.String(), tokens.Refresh[20:40]) {
			t.Errorf("%s: got a token in the log", row.name)
		}
	}
	log.Reset()
	s.Decide(t.Context(), jwtgate.Request{Method: http.MethodGet, Path: "/a"})
	if got := log.String(); !strings.HasSuffix(got, " path=/a\n") {
		t.Errorf("no peer: got log %q; want the path last", got)
	}
}

// TestRefusalLogOfErrors checks that an internal error is one line at error level, even if
// the logger has no debug level.
func TestRefusalLogOfErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want int // lines at error level
	}{
		{errBroken, 1},
		{&jwtgate.Refusal{Status: 500, Err: errBroken}, 1},
		{&jwtgate.Refusal{Status: 499, Err: errBroken}, 0},
	} {
		var log bytes.Buffer
		s := newTestServer(t, func(c *jwtgate.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		s.Decide(t.Context(), withToken(jwtgate.Request{Method: http.MethodGet, Path: "/a"}, s.login("alice").Access), always(false, row.err))
		if got := log.String(); strings.Count(got, "level=ERROR") != row.want || strings.Count(got, "\n") != row.want {
			t.Errorf("%v: got log %q; want %d lines at error level", row.err, got, row.want)
		}
	}
}

// TestRefusalOfTheApplication checks the answer for a Refusal that the application has made.
func TestRefusalOfTheApplication(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		refusal    jwtgate.Refusal
		text, body string // text is that of the error
	}{
		{jwtgate.Refusal{Status: 403, Code: "x"}, "x", `"title":"Forbidden","status":403,"detail":"","code":"x"}`},
		{jwtgate.Refusal{Status: 403, Code: "x", Err: errBroken}, "x: broken by the test", `"title":"Forbidden","status":403,"detail":"","code":"x"}`},
		{jwtgate.Refusal{Status: 410, Code: jwtgate.CodeNotFound, Detail: "There is no such session."}, "not_found", `"title":"Gone","status":410,"detail":"There is no such session.","code":"not_found"}`},
		{jwtgate.Refusal{Status: 404, Code: jwtgate.CodeNotFound, Detail: "Other."}, "not_found", `"title":"Not Found","status":404,"detail":"Other.","code":"not_found"}`},
	} {
		if got := row.refusal.Error(); got != row.text {
			t.Errorf("got error %q; want %q", got, row.text)
		}
		if got := row.refusal.Response(); got.Status != row.refusal.Status || !strings.HasSuffix(string(got.Body), row.body+"\n") {
			t.Errorf("got %d %s; want %d %s", got.Status, got.Body, row.refusal.Status, row.body)
		}
	}
}
