package jose_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

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
		{"roles a string", `"roles":"admin"`, []string{"admin"}, nil},
		{"roles a list in a string, which is not split", `"roles":"admin, user"`, []string{"admin, user"}, nil},
		{"roles an empty string", `"roles":""`, nil, nil},
		{"roles with a number", `"roles":["admin",1]`, nil, nil},
		{"roles in an array in an array", `"roles":[["admin"]]`, nil, nil},
		{"roles an object", `"roles":{"admin":true,"user":{"1":"org"},"staff":[0],"\u0061b":true}`, []string{"admin", "user", "staff", "ab"}, nil},
		{"roles an object of what is not so", `"roles":{"a":false,"b":{},"c":[ ],"d":null,"e":1,"f":"true","":true}`, nil, nil},
		{"roles an object of names that differ in case", `"roles":{"admin":false,"Admin":true}`, []string{"Admin"}, nil},
		{"roles a number", `"roles":1`, nil, nil},
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
		{"scope null, which counts as absent, and scp", `"scp":["write"],"scope":null`, nil, []string{"write"}},
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

// TestLayout reads the claims of issuers that put them elsewhere.
func TestLayout(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, subject, audience string
		roles                   []string
		members                 string
		want                    string // the subject, the audience if it is api, and the roles
	}{
		{"registered claims", "", "", []string{"roles"}, `"sub":"alice","aud":"api","roles":["admin"]`, "alice api [admin]"},
		{"no roles", "", "", nil, `"sub":"alice","aud":"api","roles":["admin"]`, "alice api []"},
		{"subject elsewhere", "id", "", nil, `"sub":"bob","aud":"api","id":"alice"`, "alice api []"},
		{"subject elsewhere, sub unusable", "id", "", nil, `"sub":{},"id":"alice"`, "alice - []"},
		{"subject elsewhere, absent", "id", "", nil, `"sub":"bob"`, "- - []"},
		{"subject elsewhere in another case", "id", "", nil, `"sub":"bob","Id":"alice"`, "- - []"},
		{"subject a whole number", "user_id", "", nil, `"user_id":00`, "error"},
		{"subject digits", "user_id", "", nil, `"user_id":12345678901234567890`, "12345678901234567890 - []"},
		{"subject zero", "user_id", "", nil, `"user_id":0`, "0 - []"},
		{"subject further in", "/user/id", "", nil, `"user":{"id":"alice"}`, "alice - []"},
		{"subject in an array", "/user/0", "", nil, `"user":["alice"]`, "- - []"},
		{"audience elsewhere", "", "client_id", nil, `"aud":"x","client_id":"api"`, "- api []"},
		{"audience elsewhere, a list", "", "azp", nil, `"azp":["x","api"]`, "- api []"},
		{"audience elsewhere, absent", "", "azp", nil, `"aud":"api"`, "- - []"},
		{"audience elsewhere, a number", "", "azp", nil, `"aud":"api","azp":1`, "- - []"},
		{"as Keycloak has roles", "", "", []string{"/realm_access/roles", "/resource_access/shop/roles"}, `"realm_access":{"roles":["admin","user"]},"resource_access":{"shop":{"roles":["user","buyer"]},"other":{"roles":["x"]}}`, "- - [admin user buyer]"},
		{"the second place of roles alone", "", "", []string{"/a/b", "c"}, `"c":"user"`, "- - [user]"},
		{"three steps", "", "", []string{"/a/b/c"}, `"a":{"b":{"c":["admin"]}}`, "- - [admin]"},
		{"five places", "a", "b", []string{"c", "d", "e"}, `"a":"alice","b":"api","c":"1","d":{"2":true},"e":["3"]`, "alice api [1 2 3]"},
		{"a name that is a URL", "", "", []string{"https://example.com/roles"}, `"https://example.com/roles":["admin"]`, "- - [admin]"},
		{"escapes", "", "", []string{"/a~1b/~01"}, `"a/b":{"~1":["admin"]}`, "- - [admin]"},
		{"a step that is absent", "", "", []string{"/a/b"}, `"a":{"c":["admin"]}`, "- - []"},
		{"a step that is an array", "", "", []string{"/a/b"}, `"a":[{"b":["admin"]}]`, "- - []"},
		{"a step that is null", "", "", []string{"/a/b"}, `"a":null`, "- - []"},
		{"a first step that is absent", "", "", []string{"/a/b"}, `"b":["admin"]`, "- - []"},
		{"another case", "", "", []string{"/a/b"}, `"a":{"B":["admin"]}`, "- - []"},
		{"two spellings of a step", "", "", []string{"/a/b"}, `"a":{"b":["user"],"B":["admin"]}`, "error"},
		{"two spellings of a step, the other one first", "", "", []string{"/a/b"}, `"a":{"B":["admin"],"b":["user"]}`, "error"},
		{"two spellings of a step in the middle", "", "", []string{"/a/b/c"}, `"a":{"b":{"c":["user"]},"B":{}}`, "error"},
		{"two spellings of the first step", "", "", []string{"/a/b"}, `"a":{"b":["user"]},"A":1`, "error"},
		{"two spellings of a step of the subject", "/a/id", "", nil, `"a":{"id":"alice","ID":"bob"}`, "error"},
		{"two spellings of another name", "", "", []string{"/a/b"}, `"a":{"b":["user"],"x":1,"X":1}`, "- - [user]"},
		{"one spelling twice", "", "", []string{"/a/b"}, `"a":{"b":["user"],"x":1,"x":1}`, "error"},
	} {
		claims, err := jose.ParseLayout(`{"exp":1,`+row.members+`}`, layout(t, row.subject, row.audience, row.roles...))
		got := "error"
		if err == nil {
			audience := "-"
			if claims.HasAudience("api") {
				audience = "api"
			}
			got = fmt.Sprint(cmp.Or(claims.Subject, "-"), " ", audience, " ", claims.Roles())
		}
		if got != row.want {
			t.Errorf("%s: got %s (%v), want %s", row.name, got, err, row.want)
		}
	}
}

// layout returns a layout of claims and JSON Pointers. An empty one is none.
func layout(t *testing.T, subject, audience string, roles ...string) *jose.Layout {
	t.Helper()
	path := func(text string) jose.Path {
		if text == "" {
			return nil
		}
		path, err := jose.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	var paths []jose.Path
	for _, text := range roles {
		paths = append(paths, path(text))
	}
	return jose.NewLayout(path(subject), path(audience), paths...)
}

func TestParsePath(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want jose.Path // nil: an error
	}{
		{"roles", jose.Path{"roles"}},
		{"cognito:groups", jose.Path{"cognito:groups"}},
		{"https://example.com/roles", jose.Path{"https://example.com/roles"}},
		{"a~b", jose.Path{"a~b"}},
		{"/roles", jose.Path{"roles"}},
		{"/realm_access/roles", jose.Path{"realm_access", "roles"}},
		{"/https:~1~1example.com~1roles", jose.Path{"https://example.com/roles"}},
		{"/~01/~10", jose.Path{"~1", "/0"}},
		{"", nil},
		{"/", nil},
		{"/a/", nil},
		{"//a", nil},
		{"/a~", nil},
		{"/a~2b", nil},
		{"/~~0", nil},
	} {
		if got, err := jose.ParsePath(row.text); !slices.Equal(got, row.want) || (err == nil) != (row.want != nil) {
			t.Errorf("%q: got %q and error %v, want %q", row.text, got, err, row.want)
		}
	}
}
