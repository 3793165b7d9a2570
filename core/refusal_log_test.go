package jwtgate_test

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
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
}
