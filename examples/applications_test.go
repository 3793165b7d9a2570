package examples

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"
)

// do sends a command to the server, and checks that it answers OK.
func (r *redis) do(t *testing.T, command string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+r.port, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprint(conn, command+"\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "+OK\r\n" {
		t.Fatalf("%s: got %q, %v", command, line, err)
	}
}

// TestRedisEmptied checks that a logout also revokes the access tokens of sessions that
// Redis has lost.
func TestRedisEmptied(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	env := []string{"JWT_KEY=" + secret, "REDIS_URL=" + r.url()}
	a, b := start(t, "nethttp", env...), start(t, "fiber", env...)
	lost, left := tokens(t, a, "/token", alice, asForm), tokens(t, a, "/token", alice, asForm)
	r.do(t, "FLUSHALL")
	again := tokens(t, b, "/token", alice, asForm)
	for _, p := range []*process{a, b} {
		p.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(lost.AccessToken))
	}

	a.want(t, 204, "", "POST", "/logout", "refresh_token="+left.RefreshToken, asForm)
	a.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", bearer(left.AccessToken))
	b.refuses(t, bearer(left.AccessToken))
	b.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(lost.AccessToken))

	b.want(t, 204, "", "POST", "/logout/all", "", bearer(again.AccessToken))
	b.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", bearer(lost.AccessToken))
	after := tokens(t, a, "/token", alice, asForm)
	a.refuses(t, bearer(lost.AccessToken))
	for _, p := range []*process{a, b} {
		p.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(after.AccessToken))
	}
}

// TestApplications checks servers with the same key and the same Redis, but another audience
// or issuer: sessions belong to one of them, and revocations to an issuer.
func TestApplications(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	env := func(more ...string) []string {
		return append(more, "JWT_KEY="+secret, "REFRESH_KEY="+secret, "REDIS_URL="+r.url())
	}
	own := start(t, "nethttp", env()...)
	audience := start(t, "echo", env("JWT_AUDIENCE=https://other.example.test")...)
	issuer := start(t, "gin", env("JWT_ISSUER=https://sso.example.test")...)
	first := tokens(t, own, "/token", alice, asForm)
	for _, p := range []*process{audience, issuer} {
		p.want(t, 401, `"code":"refresh_invalid"`, "POST", "/refresh", "refresh_token="+first.RefreshToken, asForm)
	}
	atAudience, atIssuer := tokens(t, audience, "/token", alice, asForm), tokens(t, issuer, "/token", alice, asForm)
	own.want(t, 204, "", "POST", "/logout/all", "", bearer(first.AccessToken))

	audience.refuses(t, bearer(atAudience.AccessToken))
	next := tokens(t, audience, "/refresh", "refresh_token="+atAudience.RefreshToken, asForm)
	audience.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(next.AccessToken))
	issuer.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(atIssuer.AccessToken))
	own.want(t, 401, `"code":"refresh_revoked"`, "POST", "/refresh", "refresh_token="+first.RefreshToken, asForm)
}
