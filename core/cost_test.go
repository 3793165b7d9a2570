package core_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/coretest"
)

// Garbage is refused before a signature is computed, which is what costs, and no
// token has more computed for it than a good one.
func TestSignatureChecks(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	key := core.Counted(core.HS256(secret), &checks)
	auth := newVerifier(t, key)
	good := signed(t, claims())
	input, signature := good[:strings.LastIndexByte(good, '.')], good[strings.LastIndexByte(good, '.')+1:]
	for _, row := range []struct {
		name, token string
		checks      int64
		want        core.Code
	}{
		{"good", good, 1, accepted},
		{"forged", input + "." + strings.Repeat("A", len(signature)), 1, core.CodeTokenInvalid},
		{"expired", signed(t, claims("exp", at(-1))), 1, core.CodeTokenExpired},
		{"without exp", signed(t, claims("exp", "")), 1, core.CodeTokenInvalid},
		{"no dots", strings.Repeat("x", 500), 0, core.CodeTokenInvalid},
		{"no header", strings.Repeat("x", 500) + ".e30." + signature, 0, core.CodeTokenInvalid},
		{"not base64url", "~" + good, 0, core.CodeTokenInvalid},
		{"payload not base64url", strings.Replace(good, ".", ".~", 1), 0, core.CodeTokenInvalid},
		{"payload not a token's", strings.Replace(good, ".", ".{", 1), 0, core.CodeMalformedCredentials},
		{"payload not canonical", good[:strings.IndexByte(good, '.')] + ".e31." + signature, 0, core.CodeTokenInvalid},
		{"another alg", coretest.Sign(t, "HS512", secret, `{"alg":"HS512"}`, claims()), 0, core.CodeTokenInvalid},
		{"another kid", coretest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, claims()), 0, core.CodeTokenInvalid},
		{"another typ", coretest.Sign(t, "HS256", secret, `{"alg":"HS256","typ":"x"}`, claims()), 0, core.CodeTokenInvalid},
		{"signature too short", input + "." + signature[4:], 0, core.CodeTokenInvalid},
		{"signature too long", input + ".AAAA" + signature, 0, core.CodeTokenInvalid},
		{"signature not canonical", input + "." + signature[:len(signature)-1] + "B", 0, core.CodeTokenInvalid},
		{"not one token", good + " " + good, 0, core.CodeMalformedCredentials},
		{"over the size limit", strings.Repeat("x", 8193), 0, core.CodeMalformedCredentials},
	} {
		checks.Store(0)
		decide(t, auth, withBearer(row.token), row.want)
		if got := checks.Load(); got != row.checks {
			t.Errorf("%s: got %d signatures checked, want %d", row.name, got, row.checks)
		}
	}
}

// An answer is its receiver's: what one does with it, the next does not see.
func TestAnswersAreNotShared(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret), withCookies)
	for _, req := range []core.Request{{}, withBearer("x"), {Header: http.Header{"Cookie": {"__Host-at=x"}}}} {
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
