package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestAuthorization(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	token := signed(t, claims())
	for _, row := range []struct {
		name  string
		lines []string
		want  jwtgate.Code
	}{
		{"a token", []string{"Bearer " + token}, accepted},
		{"scheme in lower case (RFC 9110 §11.1)", []string{"bearer " + token}, accepted},
		{"scheme in capitals", []string{"BEARER " + token}, accepted},
		{"several spaces (RFC 9110 §11.4)", []string{"Bearer    " + token}, accepted},

		{"none", nil, jwtgate.CodeTokenMissing},
		{"an empty line", []string{""}, jwtgate.CodeTokenMissing},
		{"Basic", []string{"Basic YWxpY2U6d29uZGVybGFuZA=="}, jwtgate.CodeTokenMissing},
		{"DPoP", []string{"DPoP " + token}, jwtgate.CodeTokenMissing},
		{"Token", []string{"Token " + token}, jwtgate.CodeTokenMissing},
		{"a scheme that begins as ours", []string{"Bearers " + token}, jwtgate.CodeTokenMissing},
		{"a scheme that begins as ours, with a sign", []string{"Bearer-x " + token}, jwtgate.CodeTokenMissing},
		{"a scheme that ours begins as", []string{"Beare " + token}, jwtgate.CodeTokenMissing},
		{"a scheme with a long s", []string{"Ba\u017fic " + token}, jwtgate.CodeTokenMissing},
		{"the token alone", []string{token}, jwtgate.CodeTokenMissing},

		{"no token", []string{"Bearer"}, jwtgate.CodeMalformedCredentials},
		{"a space for a token", []string{"Bearer "}, jwtgate.CodeMalformedCredentials},
		{"spaces for a token", []string{"Bearer   "}, jwtgate.CodeMalformedCredentials},
		{"a tab", []string{"Bearer\t" + token}, jwtgate.CodeMalformedCredentials},
		{"a space and a tab", []string{"Bearer \t" + token}, jwtgate.CodeMalformedCredentials},
		{"a comma after the scheme", []string{"Bearer, " + token}, jwtgate.CodeMalformedCredentials},
		{"a slash after the scheme", []string{"Bearer/" + token}, jwtgate.CodeMalformedCredentials},
		{"a colon after the scheme", []string{"Bearer:" + token}, jwtgate.CodeMalformedCredentials},
		{"something after the token", []string{"Bearer " + token + " x"}, jwtgate.CodeMalformedCredentials},
		{"a space after the token", []string{"Bearer " + token + " "}, jwtgate.CodeMalformedCredentials},
		{"a comma after the token", []string{"Bearer " + token + ","}, jwtgate.CodeMalformedCredentials},
		{"a parameter", []string{`Bearer realm="x"`}, jwtgate.CodeMalformedCredentials},
		{"two tokens", []string{"Bearer " + token + ", Bearer " + token}, jwtgate.CodeMalformedCredentials},
		{"two lines", []string{"Bearer " + token, "Bearer " + token}, jwtgate.CodeMalformedCredentials},
		{"two lines, one of them empty", []string{"Bearer " + token, ""}, jwtgate.CodeMalformedCredentials},
		{"two lines, one of another scheme", []string{"Basic YTpi", "Bearer " + token}, jwtgate.CodeMalformedCredentials},
		{"padding alone", []string{"Bearer ==="}, jwtgate.CodeMalformedCredentials},
		{"padding in the middle", []string{"Bearer a=b"}, jwtgate.CodeMalformedCredentials},
		{"quotes", []string{`Bearer "` + token + `"`}, jwtgate.CodeMalformedCredentials},
		{"a header field in it", []string{"Bearer x\r\nSet-Cookie: evil-cookie=1"}, jwtgate.CodeMalformedCredentials},
		{"a NUL", []string{"Bearer " + token + "\x00"}, jwtgate.CodeMalformedCredentials},
		{"bytes beyond ASCII", []string{"Bearer \xff\xfe"}, jwtgate.CodeMalformedCredentials},

		{"each letter that a token may have (RFC 6750 §2.1)", []string{"Bearer azAZ09-._~+/=="}, jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, jwtgate.Request{Method: "POST", Header: http.Header{"Authorization": row.lines}}, row.want)
		})
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	token := signed(t, claims())
	for _, row := range []struct {
		name  string
		lines []string
		want  jwtgate.Code
	}{
		{"a token", []string{"__Host-at=" + token}, accepted},
		{"among others", []string{"a=b; __Host-at=" + token + "; c=d"}, accepted},
		{"no space after the semicolon", []string{"a=b;__Host-at=" + token + ";c=d"}, accepted},
		{"space and tab around the name and the value", []string{"a=b;\t __Host-at = " + token + " \t; c=d"}, accepted},
		{"on the second line (RFC 9113 §8.2.3)", []string{"a=b", "__Host-at=" + token}, accepted},
		{"others twice", []string{"a=b; a=c; __Host-at=" + token}, accepted},

		{"none", nil, jwtgate.CodeTokenMissing},
		{"others only", []string{"a=b; at=" + token}, jwtgate.CodeTokenMissing},
		{"name in another case", []string{"__host-at=" + token}, jwtgate.CodeTokenMissing},
		{"a name that ours begins as", []string{"__Host-a=" + token}, jwtgate.CodeTokenMissing},
		{"a name that begins as ours", []string{"__Host-at2=" + token}, jwtgate.CodeTokenMissing},
		{"name after a space that is not ASCII", []string{"\u2000__Host-at=" + token}, jwtgate.CodeTokenMissing},
		{"name after a NUL", []string{"\x00__Host-at=" + token}, jwtgate.CodeTokenMissing},
		{"name for a value", []string{"x=__Host-at=" + token}, jwtgate.CodeTokenMissing},

		{"twice", []string{"__Host-at=" + token + "; __Host-at=" + token}, jwtgate.CodeMalformedCredentials},
		{"twice, on two lines", []string{"__Host-at=" + token, "__Host-at=" + token}, jwtgate.CodeMalformedCredentials},
		{"twice, once without a value", []string{"__Host-at; __Host-at=" + token}, jwtgate.CodeMalformedCredentials},
		{"twice, once within quotes", []string{`a="x; __Host-at=evil"; __Host-at=` + token}, jwtgate.CodeMalformedCredentials},
		{"no value", []string{"__Host-at="}, jwtgate.CodeMalformedCredentials},
		{"no equals sign", []string{"__Host-at"}, jwtgate.CodeMalformedCredentials},
		{"quotes", []string{`__Host-at="` + token + `"`}, jwtgate.CodeMalformedCredentials},
		{"a space inside", []string{"__Host-at=" + token + " x"}, jwtgate.CodeMalformedCredentials},
		{"a comma", []string{"__Host-at=" + token + ", b=c"}, jwtgate.CodeMalformedCredentials},
		{"percent-encoded", []string{"__Host-at=" + strings.ReplaceAll(token, ".", "%2E")}, jwtgate.CodeMalformedCredentials},
		{"not UTF-8", []string{"__Host-at=\xff\xfe"}, jwtgate.CodeMalformedCredentials},
		{"over the size limit", []string{"__Host-at=" + strings.Repeat("x", 8193)}, jwtgate.CodeMalformedCredentials},

		{"not a token", []string{"__Host-at=garbage"}, jwtgate.CodeTokenInvalid},
		{"forged", []string{"__Host-at=" + token[:len(token)-4]}, jwtgate.CodeTokenInvalid},
		{"expired", []string{"__Host-at=" + signed(t, claims("exp", at(-1)))}, jwtgate.CodeTokenExpired},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": row.lines}}, row.want)
			cleared := strings.Count(field(d.Response, "Set-Cookie"), "Max-Age=0")
			if want := map[bool]int{true: 2, false: 0}[row.want == jwtgate.CodeTokenInvalid || row.want == jwtgate.CodeTokenExpired]; cleared != want {
				t.Errorf("got %d cookies taken back, want %d", cleared, want)
			}
			if row.want == accepted && (field(d.Response, "Cache-Control") != "private" || field(d.Response, "Vary") != "Cookie") {
				t.Errorf("got header %v, want the answer kept out of shared caches", d.Response.Header)
			}
		})
	}
}

func TestCarriers(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	alice, bob := signed(t, claims()), signed(t, claims("sub", `"bob"`))
	expired := signed(t, claims("exp", at(-1)))
	for _, row := range []struct {
		name           string
		method         string
		header, cookie string
		site           string // Sec-Fetch-Site
		want           jwtgate.Code
		who            string
	}{
		{"header", "GET", "Bearer " + alice, "", "", accepted, "alice"},
		{"cookie", "GET", "", bob, "", accepted, "bob"},
		{"the header wins", "GET", "Bearer " + alice, bob, "", accepted, "alice"},
		{"the header wins over a bad cookie", "GET", "Bearer " + alice, "x", "", accepted, "alice"},
		{"the header wins over two cookies", "GET", "Bearer " + alice, bob + "; __Host-at=" + bob, "", accepted, "alice"},
		{"a bad header is not made good", "GET", "Bearer x", bob, "", jwtgate.CodeTokenInvalid, ""},
		{"an expired header is not made good", "GET", "Bearer " + expired, bob, "", jwtgate.CodeTokenExpired, ""},
		{"a malformed header is not made good", "GET", "Bearer", bob, "", jwtgate.CodeMalformedCredentials, ""},
		{"another scheme leaves it to the cookie", "GET", "Basic YTpi", bob, "", accepted, "bob"},
		{"a browser never sends a header by itself", "POST", "Bearer " + alice, "", "cross-site", accepted, "alice"},
		{"nor with a cookie beside it", "POST", "Bearer " + alice, bob, "cross-site", accepted, "alice"},
		{"a cookie from another site", "POST", "", bob, "cross-site", jwtgate.CodeCrossSite, ""},
		{"a bad cookie from another site", "POST", "", "x", "cross-site", jwtgate.CodeCrossSite, ""},
		{"a cookie from this site", "POST", "", bob, "same-origin", accepted, "bob"},
		{"reading from another site", "GET", "", bob, "cross-site", accepted, "bob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			req := jwtgate.Request{Method: row.method, Host: "api.example.com", Header: http.Header{"Sec-Fetch-Site": {row.site}}}
			if row.header != "" {
				req = withField(req, "Authorization", row.header)
			}
			if row.cookie != "" {
				req = withField(req, "Cookie", "__Host-at="+row.cookie)
			}
			d := decide(t, auth, req, row.want)
			if row.want == accepted && d.Identity.Subject() != row.who {
				t.Errorf("got %s, want %s", d.Identity.Subject(), row.who)
			}
		})
	}
}

func TestCookiesAreOffByDefault(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + signed(t, claims())}}}, jwtgate.CodeTokenMissing)
}

// TestRefreshCookieWithoutSessions checks that cookies with refresh tokens are ignored if
// Config.Sessions is not set.
func TestRefreshCookieWithoutSessions(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-rt=a; __Host-rt=b"}}}, jwtgate.CodeTokenMissing)
}

func TestMaxTokenSize(t *testing.T) {
	t.Parallel()
	token := jwtgatetest.Token(t, newVerifier(t, keys.HS256(secret)), "alice")
	for _, row := range []struct {
		name string
		size int
		want jwtgate.Code
	}{
		{"as long as the token", len(token), accepted},
		{"a byte less", len(token) - 1, jwtgate.CodeMalformedCredentials},
	} {
		auth := newVerifier(t, keys.HS256(secret), withCookies, func(c *jwtgate.Config) { c.MaxTokenSize = row.size })
		decide(t, auth, withBearer(token), row.want)
		decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, row.want)
		if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); (err == nil) != (row.want == accepted) {
			t.Errorf("%s: got error %v for a new token of that length", row.name, err)
		}
	}
}

// carried are the seeds of the fuzz targets. % stands for a valid token.
var carried = []string{"%", " %", "%=", "%x", "\t%", "% ", "%,%", "%.", "x", "", "=", `"%"`, "%\n", "\xff%"}

// FuzzAuthorization looks for an Authorization header that is accepted without having
// exactly the token that was issued.
func FuzzAuthorization(f *testing.F) {
	auth := newVerifier(f, keys.HS256(secret))
	token := jwtgatetest.Token(f, auth, "alice")
	for _, scheme := range []string{"Bearer ", "bearer", "Bearer\t", "Bearer  ", "Basic ", "Bearer-", ""} {
		for _, text := range carried {
			f.Add(scheme + text)
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		// The fuzzer cannot find a valid signature by itself.
		line = strings.ReplaceAll(line, "%", token)
		d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {line}}})
		if d.Identity == nil {
			checkRefused(t, d)
			return
		}
		scheme, rest, _ := strings.Cut(line, " ")
		if !strings.EqualFold(scheme, "Bearer") || strings.TrimLeft(rest, " ") != token {
			t.Errorf("got %s for %q", d.Identity.Subject(), line)
		}
	})
}

// FuzzCookie does the same for cookies. If net/http finds a cookie with this name in the
// header, too, it must be the same.
func FuzzCookie(f *testing.F) {
	auth := newVerifier(f, keys.HS256(secret), withCookies)
	token := jwtgatetest.Token(f, auth, "alice")
	for _, text := range carried {
		f.Add("__Host-at="+text, "a=b")
		f.Add("a=b; __Host-at="+text+"; c=d", "__Host-rt=x")
		f.Add(`a="x; __Host-at=evil"`, ";__Host-at ="+text)
		f.Add("__Host-at", "__Host-at="+text)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		lines := []string{strings.ReplaceAll(first, "%", token), strings.ReplaceAll(second, "%", token)}
		d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": lines}})
		if d.Identity == nil {
			checkRefused(t, d)
			return
		}
		r := http.Request{Header: http.Header{"Cookie": lines}}
		named := r.CookiesNamed("__Host-at")
		if len(named) > 1 || len(named) == 1 && strings.Trim(named[0].Value, " ") != token || !strings.Contains(strings.Join(lines, ";"), token) {
			t.Errorf("got %s for %q, in which net/http reads %q", d.Identity.Subject(), lines, named)
		}
	})
}

// checkRefused fails if d, which has no identity, is not a refusal.
func checkRefused(t *testing.T, d jwtgate.Decision) {
	t.Helper()
	if d.Refusal == nil || d.Response.Status < 400 {
		t.Errorf("got no identity and no refusal, but %+v", d.Response)
	}
}
