package jwtgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestBodyManyParameters checks that bodies with thousands of parameters are read or refused
// quickly.
func TestBodyManyParameters(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	form, members := new(strings.Builder), new(strings.Builder)
	for i := range 6000 {
		fmt.Fprintf(form, "&p%d=", i)
		fmt.Fprintf(members, `,"K%04d":0`, i) // K and the Kelvin sign fold to one
	}
	for _, row := range []struct{ name, contentType, body, want string }{
		{"form", formType, "username=alice&password=wonderland" + form.String(), "200"},
		{"JSON", jsonType, `{"username":"alice","password":"wonderland"` + members.String()[:60_000/10*10] + `}`, "200"},
		{"nothing but separators", formType, strings.Repeat("&", maxBody), "400 malformed_request invalid_request"},
		{"nothing but brackets", jsonType, strings.Repeat("{", maxBody), "400 malformed_request invalid_request"},
		{"nothing but quotes", jsonType, "{" + strings.Repeat(`"`, maxBody-1), "400 malformed_request invalid_request"},
		{"nothing but escapes", formType, "x=" + strings.Repeat("%41", maxBody/3-1), "400 malformed_request invalid_request"},
		{"nothing but equals signs", formType, strings.Repeat("=", maxBody), "400 malformed_request invalid_request"},
	} {
		if got := s.send(s.tokenEndpoint(), bodyRequest(row.contentType, row.body)).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// TestBodyGrantType checks that grant_type is optional, but must be that of the endpoint.
func TestBodyGrantType(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, row := range []struct {
		grant          string
		token, refresh string
	}{
		{"password", "200", "400"},
		{"refresh_token", "400", "200"},
		{"authorization_code", "400", "400"},
		{"client_credentials", "400", "400"},
		{"urn:ietf:params:oauth:grant-type:token-exchange", "400", "400"},
		{"Password", "400", "400"},
		{"REFRESH_TOKEN", "400", "400"},
		{"password ", "400", "400"},
		{" refresh_token", "400", "400"},
		{"password\x00", "400", "400"},
		{"password,refresh_token", "400", "400"},
		{"password refresh_token", "400", "400"},
	} {
		for _, encode := range []func(...string) jwtgate.Request{formRequest, jsonRequest} {
			tokens := s.login("alice")
			for _, asked := range []struct {
				endpoint string
				serve    jwtgate.Endpoint
				want     string
			}{{"/token", s.tokenEndpoint(), row.token}, {"/refresh", s.Refresh, row.refresh}} {
				want := asked.want
				if want == "400" {
					want += " malformed_request invalid_request"
				}
				s.store.taken()
				req := encode("grant_type", row.grant, "username", "alice", "password", "wonderland", "refresh_token", tokens.Refresh)
				if got := s.send(asked.serve, req).text; got != want {
					t.Errorf("%s with grant_type %q: got %s; want %s", asked.endpoint, row.grant, got, want)
				}
				if calls := s.store.taken(); asked.want == "400" && calls != "" {
					t.Errorf("%s with grant_type %q: got store calls %s; want none", asked.endpoint, row.grant, calls)
				}
			}
		}
	}
	tokens := s.login("alice")
	if got := s.send(s.Logout, formRequest("grant_type", "whatever", "refresh_token", tokens.Refresh)).text; got != "204" {
		t.Errorf("/logout does not know grants: got %s", got)
	}
	if got := s.authenticate(tokens.Access); got != "401 token_revoked" {
		t.Errorf("after logout: got %s", got)
	}
}

// TestBodyOtherTypes checks that a JSON member that is not a string counts as no parameter, and
// is not converted.
func TestBodyOtherTypes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	for _, value := range []string{`null`, `true`, `1`, `["VALUE"]`, `{"refresh_token":"VALUE"}`, `{"$ne":""}`} {
		value = strings.Replace(value, "VALUE", tokens.Refresh, 1)
		for _, row := range []struct {
			endpoint string
			serve    jwtgate.Endpoint
			body     string
			want     string
		}{
			{"/token", s.tokenEndpoint(), `{"username":%s,"password":"wonderland"}`, "400 malformed_request invalid_request"},
			{"/token", s.tokenEndpoint(), `{"username":"alice","password":%s}`, "400 malformed_request invalid_request"},
			{"/refresh", s.Refresh, `{"refresh_token":%s}`, "401 refresh_missing invalid_grant"},
			{"/logout", s.Logout, `{"refresh_token":%s}`, "204"},
		} {
			if got := s.send(row.serve, bodyRequest(jsonType, fmt.Sprintf(row.body, value))).text; got != row.want {
				t.Errorf("%s with %s: got %s; want %s", row.endpoint, value, got, row.want)
			}
		}
	}
	if got := s.authenticate(tokens.Access); got != "alice" {
		t.Errorf("afterwards: got %s", got)
	}
}

// TestBodyEmptyValues checks that parameters without a value count as omitted (RFC 6749 §3.2).
func TestBodyEmptyValues(t *testing.T) {
	s := newTestServer(t)
	tokens := s.login("alice")
	for _, row := range []struct {
		name  string
		serve jwtgate.Endpoint
		req   jwtgate.Request
		want  string
	}{
		{"grant_type at /token", s.tokenEndpoint(), formRequest("grant_type", "", "username", "alice", "password", "wonderland"), "200"},
		{"grant_type at /refresh", s.Refresh, formRequest("grant_type", "", "refresh_token", tokens.Refresh), "200"},
		{"refresh_token", s.Refresh, formRequest("refresh_token", ""), "401 refresh_missing invalid_grant"},
		{"refresh_token at /logout", s.Logout, withToken(jsonRequest("refresh_token", ""), tokens.Access), "204"},
	} {
		if got := s.send(row.serve, row.req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := s.authenticate(tokens.Access); got != revoked {
		t.Errorf("after logout: got %s", got)
	}
}

// FuzzParameters has the endpoints read any body. They must neither panic nor answer 503, a
// PasswordCheck must get the name and the password that the standard library reads from the
// body, and a refusal must not depend on what was sent.
func FuzzParameters(f *testing.F) {
	for _, row := range bodyRows {
		if len(row.body) < 1000 {
			body := fillBody(row.body, "username", "alice", !strings.Contains(row.body, "{"))
			if len(body) < 1000 {
				f.Add(row.contentType, []byte(body))
			}
		}
	}
	s := newTestServer(f, withoutRecorder)
	var refusals sync.Map // the answer to each kind of refusal
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		request := func() jwtgate.Request { return bodyRequest(contentType, string(body)) }
		token := s.Auth.Token(func(_ context.Context, username, password string) (string, bool, error) {
			if u, p, err := readIndependently(contentType, body); err != nil || u != username || p != password {
				t.Errorf("read as %q and %q; others read %q and %q, %v", username, password, u, p, err)
			}
			return "", false, nil
		})
		for _, row := range []struct {
			endpoint string
			serve    jwtgate.Endpoint
			statuses string
		}{
			{"/token", token, "400 401 413 415"},
			{"/refresh", s.Refresh, "400 401 413 415"},
			{"/logout", s.Logout, "204 400 413 415"},
		} {
			res := row.serve(t.Context(), request())
			if !strings.Contains(row.statuses, fmt.Sprint(res.Status)) {
				t.Errorf("%s: got %d %s", row.endpoint, res.Status, res.Body)
			}
			var problem struct{ Code, Detail string }
			if res.Status != http.StatusNoContent {
				if err := json.Unmarshal(res.Body, &problem); err != nil {
					t.Errorf("%s: %v", row.endpoint, err)
				}
			}
			if problem.Code == string(jwtgate.CodeMalformedRequest) && !bodyDetails[problem.Detail] {
				t.Errorf("%s: got the unknown detail %q", row.endpoint, problem.Detail)
			}
			first, _ := refusals.LoadOrStore(fmt.Sprint(row.endpoint, res.Status, problem.Code, problem.Detail), string(res.Body))
			if first != string(res.Body) {
				t.Errorf("%s: refusals of one kind differ: %s and %s", row.endpoint, first, res.Body)
			}
		}
	})
}

var errUnreadable = errors.New("neither JSON nor a form")

// readIndependently reads username and password with the standard library alone.
func readIndependently(contentType string, body []byte) (username, password string, err error) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", "", err
	}
	switch mediaType {
	case jsonType:
		var members map[string]any
		if err := decodeStrict(body, &members); err != nil {
			return "", "", err
		}
		username, _ = members["username"].(string)
		password, _ = members["password"].(string)
		return username, password, nil
	case formType:
		values, err := url.ParseQuery(strings.TrimRight(string(body), "\r\n"))
		return values.Get("username"), values.Get("password"), err
	}
	return "", "", errUnreadable
}
