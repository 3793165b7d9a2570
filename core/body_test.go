package jwtgate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	maxBody  = 64 << 10
)

// Bodies are written with the parameters that the endpoint needs as NAME and
// VALUE, which is the whole of them for /refresh and /logout, and those of the
// user name for /token, whose password stands in PASSWORD.
var bodyRows = []struct {
	name        string
	contentType string
	body        string
	status      int // of a refusal; 0: read
}{
	{"form", formType, "NAME=VALUE&PASSWORD", 0},
	{"form, UTF-8", formType + "; charset=UTF-8", "NAME=VALUE&PASSWORD", 0},
	{"form, quoted charset", formType + `;charset="utf-8"`, "NAME=VALUE&PASSWORD", 0},
	{"form, type in capitals", "Application/X-WWW-Form-URLEncoded", "NAME=VALUE&PASSWORD", 0},
	{"form, space around the type", " " + formType + " ", "NAME=VALUE&PASSWORD", 0},
	{"form, semicolon after the type", formType + ";", "NAME=VALUE&PASSWORD", 0},
	{"form, unknown parameters", formType, "a=b&NAME=VALUE&client_id=c&c=&=d&PASSWORD", 0},
	{"form, empty pairs", formType, "&NAME=VALUE&&PASSWORD&", 0},
	{"form, name escaped", formType, "NAM%45=VALUE&PASSWORD", 0},
	{"form, line ends after it", formType, "NAME=VALUE&PASSWORD\r\n", 0},
	{"form, same name in capitals", formType, "NAME=VALUE&name=VALUE&PASSWORD", 0},
	{"form, as large as may be", formType, "NAME=VALUE&PASSWORD&x=PADDING", 0},

	{"JSON", jsonType, `{"NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, UTF-8", jsonType + "; charset=utf-8", `{"NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, quoted charset", jsonType + `; Charset="Utf-8"`, `{"NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, charset twice, the same", jsonType + "; charset=utf-8; charset=utf-8", `{"NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, type in capitals", "APPLICATION/JSON", `{"NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, space around all", jsonType, " \r\n\t{ \"NAME\"\n:\t\"VALUE\" , PASSWORD } \n", 0},
	{"JSON, members of other types", jsonType, `{"a":1,"b":null,"c":[{}],"NAME":"VALUE","d":{"NAME":"x"},"e":-1.5e3,"f":true,PASSWORD}`, 0},
	{"JSON, escapes", jsonType, `{"\u004eAME":"VALUE",PASSWORD}`, 0},
	{"JSON, empty name", jsonType, `{"":"","NAME":"VALUE",PASSWORD}`, 0},
	{"JSON, as large as may be", jsonType, `{"NAME":"VALUE",PASSWORD,"x":"PADDING"}`, 0},

	{"no type", "", "NAME=VALUE&PASSWORD", 415},
	{"text", "text/plain", "NAME=VALUE&PASSWORD", 415},
	{"multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=NAME\r\n\r\nVALUE\r\n--x--\r\n", 415},
	{"text/json", "text/json", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"JSON-LD", "application/ld+json", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"JSON text sequence", "application/json-seq", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"JWT", "application/jwt", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"any", "*/*", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"half a type", "application", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"slash", "/", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"semicolon", ";", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"two types", jsonType + ", " + formType, `{"NAME":"VALUE",PASSWORD}`, 415},
	{"type with NUL", jsonType + "\x00", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"type with line end", jsonType + "\r\nX: y", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"Latin 1", jsonType + "; charset=iso-8859-1", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"UTF-16", jsonType + "; charset=utf-16", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"UTF-7 form", formType + "; charset=utf-7", "NAME=VALUE&PASSWORD", 415},
	{"charset is empty", jsonType + `; charset=""`, `{"NAME":"VALUE",PASSWORD}`, 415},
	{"charset without value", jsonType + "; charset", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"charset twice, differing", jsonType + "; charset=utf-8; Charset=utf-16", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"another parameter", jsonType + "; boundary=x", `{"NAME":"VALUE",PASSWORD}`, 415},
	{"continued charset", jsonType + "; charset*0=utf; charset*1=-8; x=y", `{"NAME":"VALUE",PASSWORD}`, 415},

	{"form, twice", formType, "NAME=VALUE&NAME=VALUE&PASSWORD", 400},
	{"form, twice, one escaped", formType, "NAME=VALUE&N%41ME=VALUE&PASSWORD", 400},
	{"form, another twice", formType, "NAME=VALUE&PASSWORD&x=1&x=2", 400},
	{"form, empty one twice", formType, "NAME=VALUE&PASSWORD&x&x", 400},
	{"form, semicolons", formType, "NAME=VALUE;PASSWORD", 400},
	{"form, bad escape", formType, "NAME=VALUE&PASSWORD&x=%zz", 400},
	{"form, cut escape", formType, "NAME=VALUE&PASSWORD&x=%4", 400},
	{"form, bad escape in a name", formType, "NAME=VALUE&PASSWORD&%=x", 400},
	{"form, not UTF-8", formType, "NAME=VALUE&PASSWORD&x=%ff", 400},
	{"form, overlong UTF-8", formType, "NAME=VALUE&PASSWORD&x=%c0%af", 400},
	{"form, surrogate", formType, "NAME=VALUE&PASSWORD&x=%ed%a0%80", 400},
	{"form, raw bytes", formType, "NAME=VALUE&PASSWORD&x=\xff", 400},
	{"form, name not UTF-8", formType, "NAME=VALUE&PASSWORD&%ff=x", 400},

	{"JSON, twice", jsonType, `{"NAME":"VALUE","NAME":"VALUE",PASSWORD}`, 400},
	{"JSON, twice, one escaped", jsonType, `{"NAME":"VALUE","\u004eAME":"VALUE",PASSWORD}`, 400},
	{"JSON, twice but for case", jsonType, `{"NAME":"VALUE","name":"VALUE",PASSWORD}`, 400},
	{"JSON, twice, of other types", jsonType, `{"NAME":1,"NAME":"VALUE",PASSWORD}`, 400},
	{"JSON, another twice", jsonType, `{"x":1,"NAME":"VALUE",PASSWORD,"x":2}`, 400},
	{"JSON, twice in a member", jsonType, `{"NAME":"VALUE",PASSWORD,"x":{"a":1,"a":1}}`, 400},
	{"JSON, null", jsonType, `null`, 400},
	{"JSON, string", jsonType, `"VALUE"`, 400},
	{"JSON, number", jsonType, `1`, 400},
	{"JSON, array", jsonType, `[{"NAME":"VALUE",PASSWORD}]`, 400},
	{"JSON, space", jsonType, ` `, 400},
	{"JSON, cut", jsonType, `{"NAME":"VALUE",PASSWORD`, 400},
	{"JSON, cut in a string", jsonType, `{"NAME":"VAL`, 400},
	{"JSON, more after it", jsonType, `{"NAME":"VALUE",PASSWORD}x`, 400},
	{"JSON, two objects", jsonType, `{"NAME":"VALUE",PASSWORD}{}`, 400},
	{"JSON, NUL after it", jsonType, "{\"NAME\":\"VALUE\",PASSWORD}\x00", 400},
	{"JSON, byte order mark", jsonType, "\ufeff" + `{"NAME":"VALUE",PASSWORD}`, 400},
	{"JSON, comment", jsonType, `{"NAME":"VALUE",/**/PASSWORD}`, 400},
	{"JSON, comma at the end", jsonType, `{"NAME":"VALUE",PASSWORD,}`, 400},
	{"JSON, comma at the beginning", jsonType, `{,"NAME":"VALUE",PASSWORD}`, 400},
	{"JSON, single quotes", jsonType, `{'NAME':'VALUE',PASSWORD}`, 400},
	{"JSON, no quotes", jsonType, `{NAME:"VALUE",PASSWORD}`, 400},
	{"JSON, not a number", jsonType, `{"NAME":"VALUE",PASSWORD,"x":NaN}`, 400},
	{"JSON, number out of range", jsonType, `{"NAME":"VALUE",PASSWORD,"x":1e999}`, 400},
	{"JSON, control character", jsonType, "{\"NAME\":\"VALUE\",PASSWORD,\"x\":\"\n\"}", 400},
	{"JSON, half a surrogate pair", jsonType, `{"NAME":"VALUE",PASSWORD,"x":"\ud800"}`, 400},
	{"JSON, not UTF-8", jsonType, "{\"NAME\":\"VALUE\",PASSWORD,\"x\":\"\xff\"}", 400},
	{"JSON, name not UTF-8", jsonType, "{\"NAME\":\"VALUE\",PASSWORD,\"\xc3\":1}", 400},
	{"JSON, UTF-16", jsonType, "{\x00\"\x00N\x00\"\x00:\x001\x00}\x00", 400},
	{"JSON, nested deeply", jsonType, `{"NAME":"VALUE",PASSWORD,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, 400},
	{"form called JSON", jsonType, "NAME=VALUE&PASSWORD", 400},

	{"form, too large", formType, "NAME=VALUE&PASSWORD&x=PADDING+", 413},
	{"JSON, too large", jsonType, `{"NAME":"VALUE",PASSWORD,"x":"PADDING"} `, 413},
}

// written returns body with the parameter name and, for /token, the password.
func written(body, name, value string, form bool) string {
	password := map[bool]string{true: "y=z", false: `"y":"z"`}
	if name == "username" {
		password = map[bool]string{true: "password=wonderland", false: `"password":"wonderland"`}
	}
	body = strings.NewReplacer(
		"NAME", name, "name", strings.ToUpper(name), "VALUE", value, "PASSWORD", password[form],
		`NAM%45`, strings.Replace(name, "e", "%65", 1), `N%41ME`, strings.Replace(name, "e", "%65", 1),
		`\u004eAME`, strings.Replace(name, "e", `\u0065`, 1),
	).Replace(body)
	size := len(body) - len("PADDING")
	if left := strings.TrimRight(body, "+ "); len(left) != len(body) {
		size--
	}
	return strings.Replace(body, "PADDING", strings.Repeat("x", max(maxBody-size, 0)), 1)
}

func TestBodies(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, row := range bodyRows {
		form := strings.EqualFold(strings.Trim(strings.SplitN(row.contentType, ";", 2)[0], " "), formType) || !strings.Contains(row.body, "{")
		check := func(endpoint string, serve jwtgate.Endpoint, name, value, good, refusal string) {
			t.Helper()
			d.store.taken()
			res := d.ask(serve, bodyOf(row.contentType, written(row.body, name, value, form)))
			want := good
			if row.status != 0 {
				want = fmt.Sprint(row.status, " malformed_request", refusal)
			}
			if res.text != want {
				t.Errorf("%s: %s: got %s; want %s", row.name, endpoint, res.text, want)
			}
			if calls := d.store.taken(); row.status != 0 && calls != "" {
				t.Errorf("%s: %s: the store was asked to %s", row.name, endpoint, calls)
			}
		}
		check("/token", d.Auth.Token(deskUsers), "username", "alice", "200", " invalid_request")
		tokens := d.token("bob")
		check("/refresh", d.Refresh, "refresh_token", tokens.Refresh, "200", " invalid_request")
		check("/logout", d.Logout, "refresh_token", tokens.Refresh, "204", "")
		if got := d.who(tokens.Access); row.status == 0 && got != "401 token_revoked" || row.status != 0 && got != "bob" {
			t.Errorf("%s: after logout: got %s", row.name, got)
		}
	}
}

// An empty body has no parameters, whatever it is said to be.
func TestBodyEmpty(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, contentType := range []string{"", formType, jsonType, "text/plain", "nonsense"} {
		for name, body := range map[string]io.Reader{"nil": nil, "empty": strings.NewReader(""), "http.NoBody": http.NoBody} {
			for _, row := range []struct {
				endpoint string
				serve    jwtgate.Endpoint
				want     string
			}{
				{"/token", d.Auth.Token(deskUsers), "400 malformed_request invalid_request"},
				{"/refresh", d.Refresh, "401 refresh_missing invalid_grant"},
				{"/logout", d.Logout, "204"},
			} {
				req := jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {contentType}}, Body: body}
				if got := d.ask(row.serve, req).text; got != row.want {
					t.Errorf("%s with a body that is %s, of type %q: got %s; want %s", row.endpoint, name, contentType, got, row.want)
				}
			}
		}
	}
	if calls := d.store.taken(); calls != "" {
		t.Errorf("the store was asked to %s", calls)
	}
}

// What cannot be read is refused before anything else is looked at.
func TestBodyUnreadable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	good := "refresh_token=" + tokens.Refresh + "&username=alice&password=wonderland"
	d.store.taken()
	for _, row := range []struct {
		name string
		body io.Reader
		want string
	}{
		{"at once", iotest.ErrReader(errDesk), "400 malformed_request"},
		{"cut short", io.MultiReader(strings.NewReader(good[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)), "400 malformed_request"},
		{"at the end", io.MultiReader(strings.NewReader(good), iotest.ErrReader(errDesk)), "400 malformed_request"},
		{"too large, then broken", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody+1)), iotest.ErrReader(errDesk)), "413 malformed_request"},
		{"without end", endless{}, "413 malformed_request"},
	} {
		body, err := io.ReadAll(io.LimitReader(row.body, maxBody+2)) // to be read thrice
		if err == nil {
			err = io.EOF
		}
		for endpoint, serve := range map[string]jwtgate.Endpoint{"/token": d.Auth.Token(deskUsers), "/refresh": d.Refresh, "/logout": d.Logout} {
			want := row.want
			if endpoint != "/logout" {
				want += " invalid_request"
			}
			req := bodyOf(formType, "")
			req.Body = io.MultiReader(bytes.NewReader(body), iotest.ErrReader(err))
			if got := d.ask(serve, req).text; got != want {
				t.Errorf("%s, %s: got %s; want %s", endpoint, row.name, got, want)
			}
		}
	}
	if calls := d.store.taken(); calls != "" {
		t.Errorf("the store was asked to %s", calls)
	}
	if got := d.who(tokens.Access); got != "alice" {
		t.Errorf("after logouts that could not be read: got %s", got)
	}
}

// endless is a body that never stops.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), len(p))), nil }

// A body is read one byte at a time if that is how it comes, and no further than
// needed to see that it is too large.
func TestBodyReader(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	req := bodyOf(formType, "")
	req.Body = iotest.OneByteReader(strings.NewReader("username=alice&password=wonderland"))
	if got := d.ask(d.Auth.Token(deskUsers), req).text; got != "200" {
		t.Errorf("one byte at a time: got %s", got)
	}
	body := strings.NewReader(strings.Repeat("x", 1<<20))
	req.Body = body
	if got := d.ask(d.Refresh, req).text; got != "413 malformed_request invalid_request" {
		t.Errorf("a megabyte: got %s", got)
	}
	if read := 1<<20 - body.Len(); read > maxBody+1 {
		t.Errorf("%d bytes of a body were read; want at most %d", read, maxBody+1)
	}
}

// Thousands of parameters are no trouble: they are read or refused, at once.
func TestBodyManyParameters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
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
		if got := d.ask(d.Auth.Token(deskUsers), bodyOf(row.contentType, row.body)).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// A grant_type may be left out, and must be the right one otherwise: one endpoint
// must not be talked into doing the work of another.
func TestBodyGrantType(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
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
		for _, encode := range []func(...string) jwtgate.Request{formOf, jsonOf} {
			tokens := d.token("alice")
			for _, asked := range []struct {
				endpoint string
				serve    jwtgate.Endpoint
				want     string
			}{{"/token", d.Auth.Token(deskUsers), row.token}, {"/refresh", d.Refresh, row.refresh}} {
				want := asked.want
				if want == "400" {
					want += " malformed_request invalid_request"
				}
				d.store.taken()
				req := encode("grant_type", row.grant, "username", "alice", "password", "wonderland", "refresh_token", tokens.Refresh)
				if got := d.ask(asked.serve, req).text; got != want {
					t.Errorf("%s with grant_type %q: got %s; want %s", asked.endpoint, row.grant, got, want)
				}
				if calls := d.store.taken(); asked.want == "400" && calls != "" {
					t.Errorf("%s with grant_type %q: the store was asked to %s", asked.endpoint, row.grant, calls)
				}
			}
		}
	}
	tokens := d.token("alice")
	if got := d.ask(d.Logout, formOf("grant_type", "whatever", "refresh_token", tokens.Refresh)).text; got != "204" {
		t.Errorf("/logout does not know grants: got %s", got)
	}
	if got := d.who(tokens.Access); got != "401 token_revoked" {
		t.Errorf("after logout: got %s", got)
	}
}

// Only a string is a parameter; what JSON has besides is none, and never turned
// into one.
func TestBodyOtherTypes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	for _, value := range []string{`null`, `true`, `1`, `["VALUE"]`, `{"refresh_token":"VALUE"}`, `{"$ne":""}`} {
		value = strings.Replace(value, "VALUE", tokens.Refresh, 1)
		for _, row := range []struct {
			endpoint string
			serve    jwtgate.Endpoint
			body     string
			want     string
		}{
			{"/token", d.Auth.Token(deskUsers), `{"username":%s,"password":"wonderland"}`, "400 malformed_request invalid_request"},
			{"/token", d.Auth.Token(deskUsers), `{"username":"alice","password":%s}`, "400 malformed_request invalid_request"},
			{"/refresh", d.Refresh, `{"refresh_token":%s}`, "401 refresh_missing invalid_grant"},
			{"/logout", d.Logout, `{"refresh_token":%s}`, "204"},
		} {
			if got := d.ask(row.serve, bodyOf(jsonType, fmt.Sprintf(row.body, value))).text; got != row.want {
				t.Errorf("%s with %s: got %s; want %s", row.endpoint, value, got, row.want)
			}
		}
	}
	if got := d.who(tokens.Access); got != "alice" {
		t.Errorf("after all: got %s", got)
	}
}

// Parameters that are given without a value count as omitted (RFC 6749 §3.2).
func TestBodyEmptyValues(t *testing.T) {
	d := newDesk(t)
	tokens := d.token("alice")
	for _, row := range []struct {
		name  string
		serve jwtgate.Endpoint
		req   jwtgate.Request
		want  string
	}{
		{"grant_type at /token", d.Auth.Token(deskUsers), formOf("grant_type", "", "username", "alice", "password", "wonderland"), "200"},
		{"grant_type at /refresh", d.Refresh, formOf("grant_type", "", "refresh_token", tokens.Refresh), "200"},
		{"refresh_token", d.Refresh, formOf("refresh_token", ""), "401 refresh_missing invalid_grant"},
		{"refresh_token at /logout", d.Logout, bearing(tokens.Access, jsonOf("refresh_token", "")), "204"},
	} {
		if got := d.ask(row.serve, row.req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := d.who(tokens.Access); got != revoked {
		t.Errorf("after logout: got %s", got)
	}
}

// Each endpoint has one method, spelled as it is.
func TestEndpointMethods(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "", "post", "POST ", "PO\x00ST", "get", "M-SEARCH"}
	for _, row := range []struct {
		endpoint string
		serve    jwtgate.Endpoint
		allow    string
		allowed  []string
	}{
		{"/token", d.Auth.Token(deskUsers), "POST", []string{"POST"}},
		{"/refresh", d.Refresh, "POST", []string{"POST"}},
		{"/logout", d.Logout, "POST", []string{"POST"}},
		{"/logout/all", d.LogoutAll, "POST", []string{"POST"}},
		{"/sessions", d.ListSessions, "GET", []string{"GET", "HEAD"}},
		{"/sessions/{id}", d.DeleteSession, "DELETE", []string{"DELETE"}},
	} {
		for _, method := range methods {
			if strings.Contains(strings.Join(row.allowed, " ")+" ", method+" ") && method != "" {
				continue
			}
			req := bearing(tokens.Access, formOf("username", "alice", "password", "wonderland", "refresh_token", tokens.Refresh))
			req.Method, req.Path = method, "/sessions/"+sidOf(t, tokens.Access)
			d.store.taken()
			res := d.ask(row.serve, req)
			if allow := headerOf(res.Response, "Allow"); res.text != "405 method_not_allowed" || !strings.HasPrefix(allow, row.allow) {
				t.Errorf("%q %s: got %s, Allow: %s; want 405 and %s", method, row.endpoint, res.text, allow, row.allow)
			}
			if calls := d.store.taken(); calls != "" {
				t.Errorf("%q %s: the store was asked to %s", method, row.endpoint, calls)
			}
			if rest, err := io.ReadAll(req.Body); err != nil || len(rest) == 0 {
				t.Errorf("%q %s: the body was read", method, row.endpoint)
			}
		}
	}
	if got := d.who(tokens.Access); got != "alice" {
		t.Errorf("after all: got %s", got)
	}
}

// FuzzParameters has the endpoints read any body. They must not panic or find
// trouble on this side; what a password check is asked must be what other readers
// of the body find in it; and a refusal must not depend on what was sent.
func FuzzParameters(f *testing.F) {
	for _, row := range bodyRows {
		if len(row.body) < 1000 {
			body := written(row.body, "username", "alice", !strings.Contains(row.body, "{"))
			if len(body) < 1000 {
				f.Add(row.contentType, []byte(body))
			}
		}
	}
	d := newDesk(f)
	var refusals sync.Map // the body of each kind of refusal
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		request := func() jwtgate.Request { return bodyOf(contentType, string(body)) }
		token := d.Auth.Token(func(_ context.Context, username, password string) (string, bool, error) {
			if u, p, err := readAgain(contentType, body); err != nil || u != username || p != password {
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
			{"/refresh", d.Refresh, "400 401 413 415"},
			{"/logout", d.Logout, "204 400 413 415"},
		} {
			res := row.serve(t.Context(), request())
			if !strings.Contains(row.statuses, fmt.Sprint(res.Status)) {
				t.Errorf("%s: got %d %s", row.endpoint, res.Status, res.Body)
			}
			var problem struct{ Code string }
			if res.Status != http.StatusNoContent {
				if err := json.Unmarshal(res.Body, &problem); err != nil {
					t.Errorf("%s: %v", row.endpoint, err)
				}
			}
			first, _ := refusals.LoadOrStore(fmt.Sprint(row.endpoint, res.Status, problem.Code), string(res.Body))
			if first != string(res.Body) {
				t.Errorf("%s: refusals of one kind differ: %s and %s", row.endpoint, first, res.Body)
			}
		}
	})
}

var errReadAgain = errors.New("neither JSON nor a form")

// readAgain reads username and password by the standard library alone.
func readAgain(contentType string, body []byte) (username, password string, err error) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", "", err
	}
	switch mediaType {
	case jsonType:
		var members map[string]any
		if err := strictly(body, &members); err != nil {
			return "", "", err
		}
		username, _ = members["username"].(string)
		password, _ = members["password"].(string)
		return username, password, nil
	case formType:
		values, err := url.ParseQuery(strings.TrimRight(string(body), "\r\n"))
		return values.Get("username"), values.Get("password"), err
	}
	return "", "", errReadAgain
}
