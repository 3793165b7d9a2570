package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	token := signed(t, claims("jti", `"t1"`, "sid", `"s1"`, "roles", `["admin","user"]`, "scope", `"read  write"`, "act", `{"sub":"bob"}`, "auth_time", at(-60)))
	d := decide(t, auth, withBearer(token), accepted)
	id, found := jwtgate.IdentityFrom(d.Context)
	if !found || id != d.Identity {
		t.Fatalf("got %v in the context, want the identity of the decision", id)
	}
	var roles, scopes []string
	for role := range id.Roles() {
		roles = append(roles, role)
	}
	for scope := range id.Scopes() {
		scopes = append(scopes, scope)
	}
	for _, row := range []struct{ name, got, want string }{
		{"subject, whoever acts for it (RFC 8693 §4.1)", id.Subject(), "alice"},
		{"issuer", id.Issuer(), issuer},
		{"token's ID", id.TokenID(), "t1"},
		{"session's ID", id.SessionID(), "s1"},
		{"expiry", id.Expires().UTC().String(), time.Unix(start+900, 0).UTC().String()},
		{"time of login", id.AuthTime().UTC().String(), time.Unix(start-60, 0).UTC().String()},
		{"roles", strings.Join(roles, ","), "admin,user"},
		{"scopes", strings.Join(scopes, ","), "read,write"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	for _, row := range []struct {
		name string
		has  func(string) bool
		word string
		want bool
	}{
		{"role", id.HasRole, "admin", true},
		{"role in another case", id.HasRole, "Admin", false},
		{"part of a role", id.HasRole, "adm", false},
		{"more than a role", id.HasRole, "superadmin", false},
		{"two roles", id.HasRole, "admin,user", false},
		{"no role", id.HasRole, "", false},
		{"a scope for a role", id.HasRole, "read", false},
		{"scope", id.HasScope, "write", true},
		{"scope in another case", id.HasScope, "Write", false},
		{"two scopes", id.HasScope, "read write", false},
		{"no scope", id.HasScope, "", false},
		{"a role for a scope", id.HasScope, "admin", false},
	} {
		if got := row.has(row.word); got != row.want {
			t.Errorf("%s: got %v for %q, want %v", row.name, got, row.word, row.want)
		}
	}
}

// Some servers reuse the memory of a request for the next one. An identity must not
// refer to that memory, or it would become that of the next user.
func TestIdentityKeepsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{} })
	token := signed(t, claims("jti", `"t1"`, "roles", `["admin"]`))
	for _, row := range []struct {
		name, line string
		request    func(line string) jwtgate.Request
	}{
		{"header", "Bearer " + token, func(line string) jwtgate.Request {
			return jwtgate.Request{Header: http.Header{"Authorization": {line}}}
		}},
		{"cookie", "__Host-at=" + token, func(line string) jwtgate.Request {
			return jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {line}}}
		}},
	} {
		buffer := []byte(row.line)
		d := decide(t, auth, row.request(unsafe.String(&buffer[0], len(buffer))), accepted)
		for i := range buffer {
			buffer[i] = 'x'
		}
		payload, err := jwtgate.Claims[struct{ Sub, Jti string }](d.Context)
		if err != nil || payload.Sub != "alice" || d.Identity.Subject() != "alice" || d.Identity.TokenID() != "t1" || !d.Identity.HasRole("admin") {
			t.Errorf("%s: got %v, %+v and error %v once the request is gone, want alice, t1, admin", row.name, d.Identity.Subject(), payload, err)
		}
	}
}
