package jose_test

import (
	"slices"
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
		{"iss a number", `{"exp":1800000900,"iss":1}`},
		{"iss null", `{"exp":1800000900,"iss":null}`},
		{"sub a number", `{"exp":1800000900,"sub":1}`},
		{"sub an object", `{"exp":1800000900,"sub":{}}`},
		{"sub null", `{"exp":1800000900,"sub":null}`},
		{"sub with a NUL", `{"exp":1800000900,"sub":"a\u0000"}`},
		{"sub with a unit separator", `{"exp":1800000900,"sub":"a\u001f"}`},
		{"sub with DEL", `{"exp":1800000900,"sub":"a` + "\x7f" + `"}`},
		{"jti a number", `{"exp":1800000900,"jti":1}`},
		{"sid an array", `{"exp":1800000900,"sid":["s1"]}`},
		{"aud a number", `{"exp":1800000900,"aud":1}`},
		{"aud null", `{"exp":1800000900,"aud":null}`},
		{"aud an object", `{"exp":1800000900,"aud":{"a":"api"}}`},
		{"aud with a number in it", `{"exp":1800000900,"aud":["api",1]}`},
		{"aud with an array in it", `{"exp":1800000900,"aud":[["api"]]}`},
		{"auth_time a string", `{"exp":1800000900,"auth_time":"1"}`},
		{"gen a string", `{"exp":1800000900,"gen":"1"}`},
		{"gen negative", `{"exp":1800000900,"gen":-1}`},
		{"gen a fraction", `{"exp":1800000900,"gen":1.5}`},
		{"gen beyond its type", `{"exp":1800000900,"gen":4294967296}`},
		{"token_use an array", `{"exp":1800000900,"token_use":["access"]}`},
	} {
		if _, err := jose.ParseClaims(row.payload, []string{"roles"}); err == nil {
			t.Errorf("%s: got no error for %s", row.name, row.payload)
		}
	}
	// Every claim that is read must be noticed in another case too.
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "auth_time", "gen",
		"scope", "scp", "cnf", "token_use", "nonce", "at_hash", "c_hash",
	} {
		payload := `{"exp":1800000900,"` + strings.ToUpper(name) + `":1}`
		if _, err := jose.ParseClaims(payload, nil); err == nil {
			t.Errorf("got no error for %s", payload)
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
		{"none of them", `{"sub":"alice"}`, func(c *jose.Claims) bool { return !c.HasKey && !c.HasNonce && !c.HasHash && !c.HasTokenUse }},
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
		{"minus one", `-1`, -1},
		{"negative fraction", `-0.1`, -1},
		{"huge negative float", `-1e300`, -1},
		{"string", `"1800000900"`, -1},
		{"null", `null`, -1},
		{"true", `true`, -1},
		{"array", `[1800000900]`, -1},
		{"object", `{}`, -1},
	} {
		claims, err := jose.ParseClaims(`{"exp":`+row.value+`}`, nil)
		if got := claims.Expires; row.want == -1 && err == nil || row.want != -1 && (got != row.want || err != nil) {
			t.Errorf("%s: got exp %d and error %v, want %d", row.name, got, err, row.want)
		}
	}
	for _, row := range []string{`{"exp":1,"nbf":"1"}`, `{"exp":1,"iat":"1"}`, `{"exp":1,"nbf":-1}`, `{"exp":1,"iat":null}`} {
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

// Roles and scopes of a shape that is not documented are none: to guess would
// be to grant.
func TestRolesAndScopes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, members string
		roles, scopes []string
	}{
		{"roles", `"roles":["admin","user"]`, []string{"admin", "user"}, nil},
		{"roles escaped", `"roles":["\u0061dmin"]`, []string{"admin"}, nil},
		{"roles with an empty one", `"roles":["","admin"]`, []string{"admin"}, nil},
		{"roles a string", `"roles":"admin"`, nil, nil},
		{"roles a list in a string", `"roles":"admin,user"`, nil, nil},
		{"roles with a number", `"roles":["admin",1]`, nil, nil},
		{"roles in an array in an array", `"roles":[["admin"]]`, nil, nil},
		{"roles an object", `"roles":{"admin":true}`, nil, nil},
		{"roles null", `"roles":null`, nil, nil},
		{"roles empty", `"roles":[]`, nil, nil},
		{"roles in another case", `"Roles":["admin"]`, nil, nil},
		{"roles further in", `"realm":{"roles":["admin"]}`, nil, nil},
		{"scope", `"scope":"read write"`, nil, []string{"read", "write"}},
		{"scope of one word", `"scope":"read"`, nil, []string{"read"}},
		{"scope with many spaces", `"scope":"  read   write "`, nil, []string{"read", "write"}},
		{"scope with a tab, which is part of a word", `"scope":"read\twrite"`, nil, []string{"read\twrite"}},
		{"scope empty", `"scope":""`, nil, nil},
		{"scope an array", `"scope":["read","write"]`, nil, []string{"read", "write"}},
		{"scope an array with spaces in a word", `"scope":["read write"]`, nil, []string{"read write"}},
		{"scope with a number", `"scope":["read",1]`, nil, nil},
		{"scope a number", `"scope":1`, nil, nil},
		{"scp", `"scp":"read write"`, nil, []string{"read", "write"}},
		{"scp an array", `"scp":["read"]`, nil, []string{"read"}},
		{"scope before scp", `"scp":["write"],"scope":"read"`, nil, []string{"read"}},
		{"scope null before scp", `"scp":["write"],"scope":null`, nil, nil},
		{"roles with a number, and scope", `"roles":["admin",1],"scope":"read"`, nil, []string{"read"}},
		{"both", `"roles":["admin","user"],"scope":"read write"`, []string{"admin", "user"}, []string{"read", "write"}},
	} {
		claims, err := jose.ParseClaims(`{"exp":1,`+row.members+`}`, []string{"roles"})
		if err != nil {
			t.Errorf("%s: got error %v, want none", row.name, err)
		}
		if !slices.Equal(claims.Roles(), row.roles) {
			t.Errorf("%s: got roles %q, want %q", row.name, claims.Roles(), row.roles)
		}
		if !slices.Equal(claims.Scopes(), row.scopes) {
			t.Errorf("%s: got scopes %q, want %q", row.name, claims.Scopes(), row.scopes)
		}
	}
}

// The two lists share memory, which must not show.
func TestRolesDoNotGrowIntoScopes(t *testing.T) {
	t.Parallel()
	claims, err := jose.ParseClaims(`{"exp":1,"roles":["user"],"scope":"read"}`, []string{"roles"})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(claims.Roles(), "write")
	if want := []string{"read"}; !slices.Equal(claims.Scopes(), want) {
		t.Errorf("got scopes %q after roles grew, want %q", claims.Scopes(), want)
	}
}

func TestRolesPath(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		path    []string
		members string
		want    []string
	}{
		{"as Keycloak has it", []string{"realm_access", "roles"}, `"realm_access":{"x":{"roles":["x"]},"roles":["admin"]}`, []string{"admin"}},
		{"three steps", []string{"a", "b", "c"}, `"a":{"b":{"c":["admin"]}}`, []string{"admin"}},
		{"a name that is a URL", []string{"https://example.com/roles"}, `"https://example.com/roles":["admin"]`, []string{"admin"}},
		{"a step that is absent", []string{"a", "b"}, `"a":{"c":["admin"]}`, nil},
		{"a step that is an array", []string{"a", "b"}, `"a":[{"b":["admin"]}]`, nil},
		{"a first step that is absent", []string{"a", "b"}, `"b":["admin"]`, nil},
		{"another case", []string{"a", "b"}, `"a":{"B":["admin"]}`, nil},
		{"no path", nil, `"roles":["admin"]`, nil},
	} {
		claims, err := jose.ParseClaims(`{"exp":1,`+row.members+`}`, row.path)
		if !slices.Equal(claims.Roles(), row.want) || err != nil {
			t.Errorf("%s: got roles %q and error %v, want %q", row.name, claims.Roles(), err, row.want)
		}
	}
}
