package jose_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

func TestParseClaims(t *testing.T) {
	t.Parallel()
	got, err := jose.ParseClaims(`{
		"iss": "https://auth.example.com", "sub": "al\u0069ce", "aud": ["api", "admin"], "jti": "t1", "sid": "s1",
		"exp": 1800000900, "nbf": 1800000000, "iat": 1800000001, "auth_time": 1799999999, "gen": 7,
		"roles": ["admin", "user"], "scope": "read write", "token_use": "access", "act": {"sub": "bob"}
	}`, []string{"roles"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, got, want string }{
		{"iss", got.Issuer, "https://auth.example.com"},
		{"sub", got.Subject, "alice"},
		{"jti", got.ID, "t1"},
		{"sid", got.SessionID, "s1"},
		{"roles", strings.Join(got.Roles(), ","), "admin,user"},
		{"scope", strings.Join(got.Scopes(), ","), "read,write"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	for _, row := range []struct {
		name      string
		got, want int64
	}{
		{"exp", got.Expires, 1800000900},
		{"nbf", got.NotBefore, 1800000000},
		{"iat", got.IssuedAt, 1800000001},
		{"auth_time", got.AuthTime, 1799999999},
		{"gen", int64(got.Generation), 7},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %d, want %d", row.name, row.got, row.want)
		}
	}
}

func TestParseClaimsRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, payload string }{
		{"nothing", ``},
		{"null", `null`},
		{"an array", `[{"exp":1800000900}]`},
		{"a string", `"exp"`},
		{"a number", `1800000900`},
		{"something after it", `{"exp":1800000900}x`},
		{"a NUL after it", `{"exp":1800000900}` + "\x00"},
		{"a byte order mark before it", "\ufeff" + `{"exp":1800000900}`},
		{"exp twice", `{"exp":1,"exp":1800000900}`},
		{"exp in another case", `{"exp":1,"EXP":1800000900}`},
		{"exp in another case only", `{"EXP":1800000900}`},
		{"sub in another case", `{"exp":1800000900,"Sub":"bob"}`},
		{"sub with a long s", `{"exp":1800000900,"` + "\u017f" + `ub":"bob"}`},
		{"iss with a long s", `{"exp":1800000900,"i` + "\u017f" + `s":"bob"}`},
		{"token_use with a Kelvin sign", `{"exp":1800000900,"to` + "\u212a" + `en_use":"id"}`},
		{"events with a long s", `{"exp":1800000900,"event` + "\u017f" + `":{}}`},
	} {
		if _, err := jose.ParseClaims(row.payload, []string{"roles"}); err == nil {
			t.Errorf("%s: got no error for %s", row.name, row.payload)
		}
	}
	// Every claim that can decide must be noticed in another case too. The other claims
	// must not refuse a token, unless they are there in two spellings.
	for _, row := range []struct {
		names   []string
		decides bool
	}{
		{[]string{"iss", "sub", "aud", "exp", "nbf", "iat", "scope", "scp", "cnf", "token_use", "typ", "nonce", "at_hash", "c_hash", "events"}, true},
		{[]string{"jti", "sid", "auth_time", "gen", "roles", "x"}, false},
	} {
		for _, name := range row.names {
			other := strings.ToUpper(name)
			if _, err := jose.ParseClaims(`{"a":1,"`+other+`":1}`, []string{"roles"}); (err != nil) != row.decides {
				t.Errorf("got error %v for %s alone; want an error: %v", err, other, row.decides)
			}
			if _, err := jose.ParseClaims(`{"`+name+`":1,"`+other+`":1}`, []string{"roles"}); err == nil {
				t.Errorf("got no error for %s and %s", name, other)
			}
		}
	}
}

// TestUnusableClaims checks that a claim of a wrong type counts as absent, and so does
// one that is null.
func TestUnusableClaims(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		values []string
		got    func(*jose.Claims) bool // reports whether the claim counts as absent
	}{
		{"iss", []string{`1`, `["i"]`, `"a\u0000"`}, func(c *jose.Claims) bool { return c.Issuer == "" }},
		{"sub", []string{`{}`, `true`, `["s"]`, `1.0`, `1e3`, `-1`, `"a\u0000"`, `"a\u001f"`, "\"a\x7f\""}, func(c *jose.Claims) bool { return c.Subject == "" }},
		{"jti", []string{`1`, `{}`, `"a\u0000"`}, func(c *jose.Claims) bool { return c.ID == "" }},
		{"sid", []string{`1`, `["s1"]`, `"a\u0000"`}, func(c *jose.Claims) bool { return c.SessionID == "" }},
		{"iat", []string{`"1"`, `true`, `-1`, `-62135596800`}, func(c *jose.Claims) bool { return c.IssuedAt == 0 }},
		{"nbf", []string{`-1`, `-62135596800`}, func(c *jose.Claims) bool { return c.NotBefore == 0 }},
		{"auth_time", []string{`"1"`, `"2026-01-01T00:00:00Z"`, `{}`, `-1`, `1e300`}, func(c *jose.Claims) bool { return c.AuthTime == 0 }},
		{"gen", []string{`"1"`, `-1`, `1.5`, `4294967296`, `{}`}, func(c *jose.Claims) bool { return c.Generation == 0 }},
		{"aud", []string{`1`, `{"a":"api"}`, `["api",1]`, `[["api"]]`}, func(c *jose.Claims) bool { return !c.HasAudience("api") && !c.HasAudience("") }},
		{"scope", []string{`1`, `{}`}, func(c *jose.Claims) bool { return len(c.Scopes()) == 0 && c.HasScope }},
		{"typ", []string{`1`, `["ID"]`}, func(c *jose.Claims) bool { return c.Type == "" }},
		{"token_use", []string{`1`, `["access"]`}, func(c *jose.Claims) bool { return c.TokenUse == "" && c.HasTokenUse }},
		{"exp", nil, func(c *jose.Claims) bool { return c.Expires == 0 }},
		{"nonce", nil, func(c *jose.Claims) bool { return !c.HasNonce }},
		{"at_hash", nil, func(c *jose.Claims) bool { return !c.HasHash }},
		{"c_hash", nil, func(c *jose.Claims) bool { return !c.HasHash }},
		{"events", nil, func(c *jose.Claims) bool { return !c.HasEvents }},
		{"cnf", nil, func(c *jose.Claims) bool { return !c.HasKey }},
	} {
		for _, value := range row.values {
			claims, err := jose.ParseClaims(`{"x":1,"`+row.name+`":`+value+`}`, nil)
			if err != nil || !row.got(claims) {
				t.Errorf("%s %s: got %+v and error %v, want it to count as absent", row.name, value, claims, err)
			}
		}
		claims, err := jose.ParseClaims(`{"x":1,"`+row.name+`":null}`, nil)
		if err != nil || !row.got(claims) && row.name != "scope" && row.name != "token_use" || claims.HasTokenUse || claims.HasScope {
			t.Errorf("%s null: got %+v and error %v, want it to count as absent", row.name, claims, err)
		}
	}
}

// Claims that only other tokens than access tokens have are reported, not refused.
func TestClaimsOfOtherTokens(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, payload string
		got           func(*jose.Claims) bool
	}{
		{"no exp", `{}`, func(c *jose.Claims) bool { return c.Expires == 0 }},
		{"cnf (RFC 9449 §6.1)", `{"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}`, func(c *jose.Claims) bool { return c.HasKey }},
		{"cnf empty", `{"cnf":{}}`, func(c *jose.Claims) bool { return c.HasKey }},
		{"nonce", `{"nonce":"n"}`, func(c *jose.Claims) bool { return c.HasNonce }},
		{"at_hash", `{"at_hash":"h"}`, func(c *jose.Claims) bool { return c.HasHash }},
		{"c_hash", `{"c_hash":"h"}`, func(c *jose.Claims) bool { return c.HasHash }},
		{"token_use", `{"token_use":"reset"}`, func(c *jose.Claims) bool { return c.HasTokenUse && c.TokenUse == "reset" }},
		{"token_use empty", `{"token_use":""}`, func(c *jose.Claims) bool { return c.HasTokenUse && c.TokenUse == "" }},
		{"events", `{"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, func(c *jose.Claims) bool { return c.HasEvents }},
		{"typ", `{"typ":"Refresh"}`, func(c *jose.Claims) bool { return c.Type == "Refresh" }},
		{"scope", `{"scope":"read"}`, func(c *jose.Claims) bool { return c.HasScope }},
		{"scope empty", `{"scope":""}`, func(c *jose.Claims) bool { return c.HasScope }},
		{"scp", `{"scp":[]}`, func(c *jose.Claims) bool { return c.HasScope }},
		{"none of them", `{"sub":"alice"}`, func(c *jose.Claims) bool {
			return !c.HasKey && !c.HasNonce && !c.HasHash && !c.HasTokenUse && !c.HasEvents && !c.HasScope && c.Type == ""
		}},
	} {
		if claims, err := jose.ParseClaims(row.payload, nil); err != nil || !row.got(claims) {
			t.Errorf("%s: got %+v and error %v", row.name, claims, err)
		}
	}
}

func TestNumericDate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, value string
		want        int64 // -1: refused
	}{
		{"one", `1`, 1},
		{"fraction, rounded down", `1800000900.999`, 1800000900},
		{"exponent", `18e8`, 1800000000},
		{"largest integer", `9223372036854775807`, 9223372036854775807},
		{"largest whole float", `9007199254740991.0`, 9007199254740991},
		{"float that is no whole number any more", `9007199254740992.0`, -1},
		{"integer beyond its type", `9223372036854775808`, -1},
		{"huge float", `1e300`, -1},
		{"zero", `0`, 0},
		{"minus zero", `-0`, 0},
		{"less than one", `0.9`, 0},
		{"minus one, which counts as absent", `-1`, 0},
		{"negative fraction", `-0.1`, 0},
		{"huge negative float", `-1e300`, 0},
		{"string", `"1800000900"`, -1},
		{"null, which counts as absent", `null`, 0},
		{"true", `true`, -1},
		{"array", `[1800000900]`, -1},
		{"object", `{}`, -1},
	} {
		claims, err := jose.ParseClaims(`{"exp":`+row.value+`}`, nil)
		if got := claims.Expires; row.want == -1 && err == nil || row.want != -1 && (got != row.want || err != nil) {
			t.Errorf("%s: got exp %d and error %v, want %d", row.name, got, err, row.want)
		}
	}
	for _, row := range []string{`{"exp":1,"nbf":"1"}`, `{"exp":1,"nbf":{}}`, `{"exp":1,"nbf":1e300}`, `{"exp":1,"iat":1e300}`} {
		if _, err := jose.ParseClaims(row, nil); err == nil {
			t.Errorf("got no error for %s", row)
		}
	}
}

func TestHasAudience(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, aud string
		want      bool
	}{
		{"string", `"api"`, true},
		{"string, escaped", `"\u0061pi"`, true},
		{"array of one", `["api"]`, true},
		{"last of an array", `[ "x" , "y" , "api" ]`, true},
		{"array, escaped", `["\u0061pi"]`, true},
		{"empty string", `""`, false},
		{"empty array", `[]`, false},
		{"array of an empty string", `[""]`, false},
		{"prefix", `"ap"`, false},
		{"suffix", `["xapi"]`, false},
		{"longer", `"api/"`, false},
		{"longer, in an array", `["api/"]`, false},
		{"another case", `["API"]`, false},
		{"with space around", `" api"`, false},
		{"list in a string", `"api x"`, false},
	} {
		claims, err := jose.ParseClaims(`{"exp":1,"aud":`+row.aud+`}`, nil)
		if got := claims.HasAudience("api"); got != row.want || err != nil {
			t.Errorf("%s: got %v and error %v, want %v", row.name, got, err, row.want)
		}
	}
	claims, err := jose.ParseClaims(`{"exp":1}`, nil)
	if claims.HasAudience("api") || err != nil {
		t.Errorf("got an audience and error %v without aud", err)
	}
}
