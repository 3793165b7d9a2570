package jwtgate_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestIssuerMistakes(t *testing.T) {
	t.Parallel()
	type trusted = jwtgate.TrustedIssuer
	key := keys.HS256([]byte(strings.Repeat("another secret ", 4)))
	anyone := func(string) bool { return true }
	for _, row := range []struct {
		name   string
		issuer trusted
		want   []string // the fields, without Trusted[0]
	}{
		{"a name", trusted{Name: "b"}, nil},
		{"a function", trusted{Match: anyone}, nil},
		{"neither", trusted{}, []string{"Name"}},
		{"both", trusted{Name: "b", Match: anyone}, []string{"Match"}},
		{"a function and keys without an address", trusted{Match: anyone, Keys: keys.Remote{}}, []string{"Keys"}},
		{"a function and keys with an address", trusted{Match: anyone, Keys: keys.Remote{URL: "https://idp.example/keys"}}, nil},
		{"an empty audience", trusted{Name: "b", OtherAudiences: []string{"a", ""}}, []string{"OtherAudiences"}},
		{"another claim for the audience, without a value", trusted{Name: "b", AudienceClaim: "client_id"}, []string{"Audience"}},
		{"another claim for the audience, with one", trusted{Name: "b", AudienceClaim: "client_id", OtherAudiences: []string{"a"}}, nil},
		{"ID tokens for no client", trusted{Name: "b", AcceptIDTokens: true}, []string{"Audience"}},
		{"ID tokens for every client", trusted{Name: "b", AcceptIDTokens: true, InsecureAnyAudience: true}, []string{"AcceptIDTokens"}},
		{"ID tokens for one client", trusted{Name: "b", AcceptIDTokens: true, Audience: "a"}, nil},
		{"SubjectClaim sub", trusted{Name: "b", SubjectClaim: "sub"}, nil},
		{"SubjectClaim registered", trusted{Name: "b", SubjectClaim: "jti"}, []string{"SubjectClaim"}},
		{"SubjectClaim no pointer", trusted{Name: "b", SubjectClaim: "/user/"}, []string{"SubjectClaim"}},
		{"AudienceClaim registered", trusted{Name: "b", AudienceClaim: "/scope/x", Audience: "a"}, []string{"AudienceClaim"}},
		{"RoleClaims empty", trusted{Name: "b", RoleClaims: []string{}}, nil},
		{"RoleClaims with an empty one", trusted{Name: "b", RoleClaims: []string{"a", ""}}, []string{"RoleClaims"}},
		{"RoleClaims registered in another case", trusted{Name: "b", RoleClaims: []string{"Aud"}}, []string{"RoleClaims"}},
		{"RoleClaims with an escape that is none", trusted{Name: "b", RoleClaims: []string{"/a~2"}}, []string{"RoleClaims"}},
		{"RoleClaims by URL", trusted{Name: "b", RoleClaims: []string{"https://example.com/roles"}}, nil},
		{"MaxLifetime negative", trusted{Name: "b", MaxLifetime: -1}, []string{"MaxLifetime"}},
		{"Leeway negative", trusted{Name: "b", Leeway: -1}, []string{"Leeway"}},
		{"Leeway of more than 5 minutes", trusted{Name: "b", Leeway: 5*time.Minute + 1}, []string{"Leeway"}},
		{"ClockSkew negative", trusted{Name: "b", ClockSkew: -1}, []string{"ClockSkew"}},
		{"ClockSkew below a second", trusted{Name: "b", ClockSkew: time.Millisecond}, []string{"ClockSkew"}},
		{"ClockSkew of a second", trusted{Name: "b", ClockSkew: time.Second}, nil},
		{"ClockSkew of 5 minutes", trusted{Name: "b", ClockSkew: 5 * time.Minute}, nil},
		{"ClockSkew of more", trusted{Name: "b", ClockSkew: 5*time.Minute + 1}, []string{"ClockSkew"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if row.issuer.Keys == nil {
				row.issuer.Keys = key
			}
			_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), Trusted: []trusted{row.issuer}})
			var got []string
			for _, field := range fields(err) {
				got = append(got, strings.TrimPrefix(field, "Trusted[0]."))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got mistakes in %q, want %q: %v", got, row.want, err)
			}
		})
	}
	// The same of the fields of Config itself.
	_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, InsecureAnyAudience: true, Keys: keys.HS256(secret), SubjectClaim: "exp", AudienceClaim: "/", RoleClaims: []string{"sub"}, AcceptIDTokens: true, ClockSkew: time.Hour, OtherAudiences: []string{""}})
	if got, want := fields(err), []string{"OtherAudiences", "AcceptIDTokens", "ClockSkew", "SubjectClaim", "AudienceClaim", "RoleClaims"}; !slices.Equal(got, want) {
		t.Errorf("got mistakes in %q, want %q: %v", got, want, err)
	}
}

// TestIssuersOwnTimes checks that the lifetime and the differences of clocks are those
// of the issuer of the token, and by default those of Config.
func TestIssuersOwnTimes(t *testing.T) {
	t.Parallel()
	const expired, invalid = jwtgate.CodeTokenExpired, jwtgate.CodeTokenInvalid
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.MaxLifetime, c.Leeway, c.ClockSkew = time.Hour, 10*time.Second, 20*time.Second
		c.Trusted = []jwtgate.TrustedIssuer{
			{Name: "default", Keys: keys.ES256(p256Key)},
			{Name: "own", Keys: keys.EdDSA(ed25519Key), MaxLifetime: 48 * time.Hour, Leeway: 30 * time.Second, ClockSkew: 40 * time.Second},
		}
	})
	for _, row := range []struct {
		name                 string
		changes              []string
		ours, byDefault, own jwtgate.Code
	}{
		{"an hour", []string{"exp", at(3600)}, accepted, accepted, accepted},
		{"an hour and a second", []string{"exp", at(3601)}, invalid, invalid, accepted},
		{"two days", []string{"exp", at(2 * 86400)}, invalid, invalid, accepted},
		{"two days and a second", []string{"exp", at(2*86400 + 1)}, invalid, invalid, invalid},
		{"exp 9 seconds ago", []string{"exp", at(-9)}, accepted, accepted, accepted},
		{"exp 10 seconds ago", []string{"exp", at(-10)}, expired, expired, accepted},
		{"exp 30 seconds ago", []string{"exp", at(-30)}, expired, expired, expired},
		{"iat 20 seconds ahead", []string{"iat", at(20)}, accepted, accepted, accepted},
		{"iat 21 seconds ahead", []string{"iat", at(21)}, invalid, invalid, accepted},
		{"nbf 40 seconds ahead", []string{"nbf", at(40)}, invalid, invalid, accepted},
		{"nbf 41 seconds ahead", []string{"nbf", at(41)}, invalid, invalid, invalid},
	} {
		from := func(name string) string { return claims(append(row.changes, "iss", strconv.Quote(name))...) }
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, claims(row.changes...))), row.ours)
			decide(t, auth, withBearer(signedES256(t, from("default"))), row.byDefault)
			decide(t, auth, withBearer(signedEdDSA(t, from("own"))), row.own)
		})
	}
}

// TestOtherAudiences checks that each of the audiences is accepted, and that trusted
// issuers have the same ones by default.
func TestOtherAudiences(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.OtherAudiences = []string{"web", "mobile"}
		c.Trusted = []jwtgate.TrustedIssuer{
			{Name: "default", Keys: keys.ES256(p256Key)},
			{Name: "own", Keys: keys.EdDSA(ed25519Key), OtherAudiences: []string{"app"}},
		}
	})
	for _, row := range []struct {
		aud             string
		ours, byDefault bool
		own             bool
	}{
		{strconv.Quote(audience), true, true, false},
		{`"web"`, true, true, false},
		{`["x","mobile"]`, true, true, false},
		{`"app"`, false, false, true},
		{`["app","web"]`, true, true, true},
		{`"Web"`, false, false, false},
		{`"web mobile"`, false, false, false},
		{`""`, false, false, false},
	} {
		want := func(ok bool) jwtgate.Code {
			if ok {
				return accepted
			}
			return jwtgate.CodeTokenInvalid
		}
		t.Run(row.aud, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, claims("aud", row.aud))), want(row.ours))
			decide(t, auth, withBearer(signedES256(t, claims("aud", row.aud, "iss", `"default"`))), want(row.byDefault))
			decide(t, auth, withBearer(signedEdDSA(t, claims("aud", row.aud, "iss", `"own"`))), want(row.own))
		})
	}
	if got := segment(t, issued(t, auth, jwtgate.Grant{Subject: "alice"}), 1)["aud"]; got != audience {
		t.Errorf("got aud %v in an issued token; want %s", got, audience)
	}
}
