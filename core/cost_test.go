package jwtgate_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// An invalid token causes no more signature checks than a valid one, and a malformed
// token causes none.
func TestSignatureChecks(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	key := counted(keys.HS256(secret), &checks)
	auth := newVerifier(t, key)
	good := signed(t, claims())
	input, signature := good[:strings.LastIndexByte(good, '.')], good[strings.LastIndexByte(good, '.')+1:]
	for _, row := range []struct {
		name, token string
		checks      int64
		want        jwtgate.Code
	}{
		{"good", good, 1, accepted},
		{"forged", input + "." + strings.Repeat("A", len(signature)), 1, jwtgate.CodeTokenInvalid},
		{"expired", signed(t, claims("exp", at(-1))), 1, jwtgate.CodeTokenExpired},
		{"without exp", signed(t, claims("exp", "")), 1, jwtgate.CodeTokenInvalid},
		{"no dots", strings.Repeat("x", 500), 0, jwtgate.CodeTokenInvalid},
		{"no header", strings.Repeat("x", 500) + ".e30." + signature, 0, jwtgate.CodeTokenInvalid},
		{"not base64url", "~" + good, 0, jwtgate.CodeTokenInvalid},
		{"payload not base64url", strings.Replace(good, ".", ".~", 1), 0, jwtgate.CodeTokenInvalid},
		{"payload not a token's", strings.Replace(good, ".", ".{", 1), 0, jwtgate.CodeMalformedCredentials},
		{"header without alg", "e30.e30." + signature, 0, jwtgate.CodeTokenInvalid},
		{"header without alg, payload not a token's", "e30.{." + signature, 0, jwtgate.CodeMalformedCredentials},
		{"header not a token's", "{" + good, 0, jwtgate.CodeMalformedCredentials},
		{"payload not canonical", good[:strings.IndexByte(good, '.')] + ".e31." + signature, 0, jwtgate.CodeTokenInvalid},
		{"another alg", jwtgatetest.Sign(t, "HS512", secret, `{"alg":"HS512"}`, claims()), 0, jwtgate.CodeTokenInvalid},
		{"another kid", jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, claims()), 1, accepted},
		{"another kid, forged", jwtgatetest.Sign(t, "HS256", signingSecret, `{"alg":"HS256","kid":"x"}`, claims()), 1, jwtgate.CodeTokenInvalid},
		{"another typ", jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","typ":"x"}`, claims()), 0, jwtgate.CodeTokenInvalid},
		{"signature not canonical", input + "." + signature[:len(signature)-1] + "B", 0, jwtgate.CodeTokenInvalid},
		{"not one token", good + " " + good, 0, jwtgate.CodeMalformedCredentials},
		{"over the size limit", strings.Repeat("x", 8193), 0, jwtgate.CodeMalformedCredentials},
	} {
		checks.Store(0)
		decide(t, auth, withBearer(row.token), row.want)
		if got := checks.Load(); got != row.checks {
			t.Errorf("%s: got %d signatures checked, want %d", row.name, got, row.checks)
		}
	}
}

// An inner guard does not check the signature again, even if the outer one was called with
// context.Background.
func TestInnerGuardChecks(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"a context of its own": t.Context(),
		"context.Background":   context.Background(), // a special case of bearer tokens
	} {
		var checks atomic.Int64
		auth := newVerifier(t, counted(keys.HS256(secret), &checks))
		req := withBearer(signed(t, claims()))
		inner := auth.Decide(auth.Decide(ctx, req).Context, req)
		if got := checks.Load(); got != 1 || inner.Refusal != nil {
			t.Errorf("%s: got %v after %d signatures checked; want one", name, inner.Refusal, got)
		}
	}
}

// The receiver of an answer may change it: that does not change the next answer.
func TestAnswersAreNotShared(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	for _, req := range []jwtgate.Request{{}, withBearer("x"), {Header: http.Header{"Cookie": {"__Host-at=x"}}}} {
		first := auth.Decide(t.Context(), req).Response
		body, header := string(first.Body), first.Header[0]
		clear(first.Body)
		clear(first.Header[:cap(first.Header)])
		second := auth.Decide(t.Context(), req).Response
		if string(second.Body) != body || second.Header[0] != header {
			t.Errorf("got %v %s, want %v %s", second.Header, second.Body, header, body)
		}
	}
}
