package jwtgate_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// maxBody is the size of the largest body that is read.
const maxBody = 64 << 10

// bodyRows are bodies for each endpoint. NAME and VALUE stand for the parameter that the
// endpoint needs: username for /token, refresh_token for /refresh and /logout. PASSWORD
// stands for the second parameter, which is the password for /token and is ignored elsewhere.
// PADDING makes the body as large as it may be.
var bodyRows = []struct {
	name        string
	contentType string
	body        string
	status      int // of the refusal, or 0 if the body is accepted
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

// fillBody returns body with the parameter name and the other words of bodyRows replaced.
func fillBody(body, name, value string, form bool) string {
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

// TestBodies sends each of bodyRows to each endpoint that reads a body.
func TestBodies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, row := range bodyRows {
		form := strings.EqualFold(strings.Trim(strings.SplitN(row.contentType, ";", 2)[0], " "), formType) || !strings.Contains(row.body, "{")
		check := func(endpoint string, serve jwtgate.Endpoint, name, value, good, refusal string) {
			t.Helper()
			s.store.taken()
			res := s.send(serve, bodyRequest(row.contentType, fillBody(row.body, name, value, form)))
			want := good
			if row.status != 0 {
				want = fmt.Sprint(row.status, " malformed_request", refusal)
			}
			if res.text != want {
				t.Errorf("%s: %s: got %s; want %s", row.name, endpoint, res.text, want)
			}
			if calls := s.store.taken(); row.status != 0 && calls != "" {
				t.Errorf("%s: %s: got store calls %s; want none", row.name, endpoint, calls)
			}
		}
		check("/token", s.tokenEndpoint(), "username", "alice", "200", " invalid_request")
		tokens := s.login("bob")
		check("/refresh", s.Refresh, "refresh_token", tokens.Refresh, "200", " invalid_request")
		check("/logout", s.Logout, "refresh_token", tokens.Refresh, "204", "")
		if got := s.authenticate(tokens.Access); row.status == 0 && got != "401 token_revoked" || row.status != 0 && got != "bob" {
			t.Errorf("%s: after logout: got %s", row.name, got)
		}
	}
}

// TestBodyEmpty checks that an empty body has no parameters, whatever its Content-Type.
func TestBodyEmpty(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, contentType := range []string{"", formType, jsonType, "text/plain", "nonsense"} {
		for name, body := range map[string]io.Reader{"nil": nil, "empty": strings.NewReader(""), "http.NoBody": http.NoBody} {
			for _, row := range []struct {
				endpoint string
				serve    jwtgate.Endpoint
				want     string
			}{
				{"/token", s.tokenEndpoint(), "400 malformed_request invalid_request"},
				{"/refresh", s.Refresh, "401 refresh_missing invalid_grant"},
				{"/logout", s.Logout, "204"},
			} {
				req := jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {contentType}}, Body: body}
				if got := s.send(row.serve, req).text; got != row.want {
					t.Errorf("%s with a body that is %s, of type %q: got %s; want %s", row.endpoint, name, contentType, got, row.want)
				}
			}
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
}

// TestBodyUnreadable checks that a body that cannot be read is refused, and has no effect.
func TestBodyUnreadable(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	good := "refresh_token=" + tokens.Refresh + "&username=alice&password=wonderland"
	s.store.taken()
	for _, row := range []struct {
		name string
		body io.Reader
		want string
	}{
		{"at once", iotest.ErrReader(errBroken), "400 malformed_request"},
		{"cut short", io.MultiReader(strings.NewReader(good[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)), "400 malformed_request"},
		{"at the end", io.MultiReader(strings.NewReader(good), iotest.ErrReader(errBroken)), "400 malformed_request"},
		{"too large, then broken", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody+1)), iotest.ErrReader(errBroken)), "413 malformed_request"},
		{"without end", endlessReader{}, "413 malformed_request"},
	} {
		body, err := io.ReadAll(io.LimitReader(row.body, maxBody+2)) // is sent three times
		if err == nil {
			err = io.EOF
		}
		for endpoint, serve := range map[string]jwtgate.Endpoint{"/token": s.tokenEndpoint(), "/refresh": s.Refresh, "/logout": s.Logout} {
			want := row.want
			if endpoint != "/logout" {
				want += " invalid_request"
			}
			req := bodyRequest(formType, "")
			req.Body = io.MultiReader(bytes.NewReader(body), iotest.ErrReader(err))
			if got := s.send(serve, req).text; got != want {
				t.Errorf("%s, %s: got %s; want %s", endpoint, row.name, got, want)
			}
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
	if got := s.authenticate(tokens.Access); got != "alice" {
		t.Errorf("after logouts that could not be read: got %s", got)
	}
}

// An endlessReader is a body without an end.
type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

// TestBodyReader checks that a body may arrive in small pieces, and that a body that is too
// large is not read to its end.
func TestBodyReader(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	req := bodyRequest(formType, "")
	req.Body = iotest.OneByteReader(strings.NewReader("username=alice&password=wonderland"))
	if got := s.send(s.tokenEndpoint(), req).text; got != "200" {
		t.Errorf("one byte at a time: got %s", got)
	}
	body := strings.NewReader(strings.Repeat("x", 1<<20))
	req.Body = body
	if got := s.send(s.Refresh, req).text; got != "413 malformed_request invalid_request" {
		t.Errorf("a megabyte: got %s", got)
	}
	if read := 1<<20 - body.Len(); read > maxBody+1 {
		t.Errorf("%d bytes of a body were read; want at most %d", read, maxBody+1)
	}
}
