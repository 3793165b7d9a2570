package jwtgate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestIssueWithClaimsElsewhere checks where an issued token has its subject, audience
// and roles, and that this server reads them there.
func TestIssueWithClaimsElsewhere(t *testing.T) {
	t.Parallel()
	const badGrant = "jwtgate: a token with this Grant would be refused"
	for _, row := range []struct {
		name                   string
		subject, audienceClaim string
		roles                  []string
		grant                  jwtgate.Grant
		want                   string // the claims that differ from those of every token, or the error
	}{
		{"the first place of roles", "", "", []string{"/realm_access/roles", "groups"}, jwtgate.Grant{Roles: []string{"admin"}}, `{"realm_access":{"roles":["admin"]}}`},
		{"subject", "user_id", "", nil, jwtgate.Grant{}, `{"user_id":"42"}`},
		{"subject as a number of the application", "user_id", "", nil, jwtgate.Grant{Claims: map[string]any{"user_id": 42}}, `{"user_id":42}`},
		{"another subject of the application", "user_id", "", nil, jwtgate.Grant{Claims: map[string]any{"user_id": 43}}, badGrant},
		{"a subject of the application that is none", "user_id", "", nil, jwtgate.Grant{Claims: map[string]any{"user_id": 42.5}}, badGrant},
		{"audience", "", "client_id", nil, jwtgate.Grant{}, `{"client_id":"https://api.example.com"}`},
		{"an audience of the application", "", "client_id", nil, jwtgate.Grant{Claims: map[string]any{"client_id": "x"}}, `jwtgate: Grant.Claims has the claim "client_id", which Config.AudienceClaim sets`},
		{"all in one object", "/user/id", "/user/app", []string{"/user/roles"}, jwtgate.Grant{Roles: []string{"admin"}}, `{"user":{"app":"https://api.example.com","id":"42","roles":["admin"]}}`},
		{"an object of the application", "/user/id", "", nil, jwtgate.Grant{Claims: map[string]any{"user": map[string]any{"name": "x"}}}, `jwtgate: Grant.Claims has the claim "user", which Config.SubjectClaim sets`},
		{"one place for two claims", "id", "", []string{"id"}, jwtgate.Grant{Roles: []string{"admin"}}, `jwtgate: Grant.Claims has the claim "id", which Config.RoleClaims sets`},
		{"two spellings of one name", "id", "", nil, jwtgate.Grant{Claims: map[string]any{"ID": "42"}}, badGrant},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
				c.SubjectClaim, c.AudienceClaim, c.RoleClaims = row.subject, row.audienceClaim, row.roles
			})
			row.grant.Subject = "42"
			access, err := auth.Issue(t.Context(), row.grant)
			if err != nil {
				if !strings.HasPrefix(err.Error(), row.want) {
					t.Errorf("got error %v; want %s", err, row.want)
				}
				return
			}
			got := segment(t, access.Token, 1)
			if got["sub"] != "42" || got["aud"] != audience {
				t.Errorf("got sub %v and aud %v; want 42 and %s", got["sub"], got["aud"], audience)
			}
			for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} {
				delete(got, name)
			}
			if text, err := json.Marshal(got); err != nil || string(text) != row.want {
				t.Errorf("got %s (%v); want %s", text, err, row.want)
			}
			d := decide(t, auth, withBearer(access.Token), accepted)
			if want := fmt.Sprint("42 ", append([]string{}, row.grant.Roles...)); who(d.Identity) != want {
				t.Errorf("got %q; want %q", who(d.Identity), want)
			}
		})
	}
}

// TestOptionalSubject checks that a token without a subject reaches a handler, and no
// endpoint for the sessions of a subject.
func TestOptionalSubject(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.OptionalSubject = true })
	for i, subject := range []any{nil, "", map[string]any{}} {
		token := s.mint("", 0, map[string]any{"sub": subject, "jti": fmt.Sprint(i)})
		d := s.Decide(t.Context(), withBearer(token))
		if d.Refusal != nil || d.Identity.Subject() != "" {
			t.Errorf("sub %v: got %v and identity %v; want one without a subject", subject, d.Refusal, d.Identity)
		}
		for _, endpoint := range []struct {
			method string
			serve  jwtgate.Endpoint
		}{
			{http.MethodPost, s.LogoutAll},
			{http.MethodGet, s.ListSessions},
			{http.MethodDelete, s.DeleteSession},
		} {
			req := withBearer(token)
			req.Method = endpoint.method
			if res := endpoint.serve(t.Context(), req); res.Status != http.StatusForbidden {
				t.Errorf("sub %v, %s: got %d; want 403", subject, endpoint.method, res.Status)
			}
		}
		req := withBearer(token)
		req.Method = http.MethodPost
		if res := s.Logout(t.Context(), req); res.Status != http.StatusNoContent {
			t.Errorf("sub %v: got %d from Logout; want 204", subject, res.Status)
		}
		if d := s.Decide(t.Context(), withBearer(token)); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenRevoked {
			t.Errorf("sub %v: got %v after Logout; want the token to be revoked by its jti", subject, d.Refusal)
		}
	}
	if _, err := s.Issue(t.Context(), jwtgate.Grant{}); err == nil {
		t.Error("got a token without a subject from Issue")
	}
}

// issued returns a token that auth issues for grant.
func issued(t *testing.T, auth *jwtgate.Auth, grant jwtgate.Grant) string {
	t.Helper()
	access, err := auth.Issue(t.Context(), grant)
	if err != nil {
		t.Fatal(err)
	}
	return access.Token
}

func signedEdDSA(tb testing.TB, payload string) string {
	tb.Helper()
	return jwtgatetest.Sign(tb, "EdDSA", ed25519Key, `{"alg":"EdDSA"}`, payload)
}
