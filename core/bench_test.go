package core_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/coretest"
)

// BenchmarkAccept is what a request costs that is let through: little more than
// the check of its signature.
func BenchmarkAccept(b *testing.B) {
	for _, row := range []struct {
		name string
		key  core.Key
	}{
		{"HS256", core.HS256(secret)},
		{"RS256", core.RS256(rsaKey())},
		{"PS256", core.PS256(rsaKey())},
		{"ES256", core.ES256(p256Key)},
		{"EdDSA", core.EdDSA(ed25519Key)},
	} {
		b.Run(row.name, func(b *testing.B) {
			auth := newVerifier(b, row.key)
			token := coretest.Token(b, auth, "alice", "admin", "user")
			benchmark(b, auth, withBearer(token), accepted)
		})
	}
	b.Run("HS256 by cookie", func(b *testing.B) {
		auth := newVerifier(b, core.HS256(secret), withCookies)
		token := coretest.Token(b, auth, "alice", "admin", "user")
		benchmark(b, auth, core.Request{Method: "GET", Cookie: []string{"a=b; __Host-at=" + token}}, accepted)
	})
}

// BenchmarkRefuse is what an attacker can make a request cost.
func BenchmarkRefuse(b *testing.B) {
	auth := newVerifier(b, core.ES256(p256Key))
	good := signedES256(b, claims())
	for _, row := range []struct {
		name, token string
		want        core.Code
	}{
		{"garbage", "garbage", core.CodeTokenInvalid},
		{"bad signature", good[:len(good)-4] + "AAAA", core.CodeTokenInvalid},
		{"unknown kid", coretest.Sign(b, "ES256", p256Key, `{"alg":"ES256","kid":"x"}`, claims()), core.CodeTokenInvalid},
		{"expired", signedES256(b, claims("exp", at(-1))), core.CodeTokenExpired},
		{"8 KB of garbage", strings.Repeat("x", 8192), core.CodeTokenInvalid},
		{"8 KB, bad signature", "eyJhbGciOiJFUzI1NiJ9." + strings.Repeat("x", 8000) + "." + strings.Repeat("A", 86), core.CodeTokenInvalid},
		{"over 8 KB", strings.Repeat("x", 8193), core.CodeMalformedCredentials},
	} {
		b.Run(row.name, func(b *testing.B) { benchmark(b, auth, withBearer(row.token), row.want) })
	}
}

func benchmark(b *testing.B, auth *core.Auth, req core.Request, want core.Code) {
	b.ReportAllocs()
	ctx := context.Background()
	for b.Loop() {
		d := auth.Decide(ctx, req)
		if want == accepted && d.Identity == nil || want != accepted && (d.Refusal == nil || d.Refusal.Code != want) {
			b.Fatalf("got %v, want %q", d.Refusal, want)
		}
	}
}
