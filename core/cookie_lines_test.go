package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestCookieLines checks which lines of the Cookie header have the server's cookies, and that
// no other cookie is taken for one of them or hides one.
func TestCookieLines(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens, others := s.signIn("alice"), s.signIn("robert")
	at, rt := "__Host-at="+tokens.Access.Token, "__Host-rt="+tokens.Refresh
	evil := others.Access.Token
	const (
		pass      = "pass alice"
		missing   = "401 token_missing"
		malformed = "400 malformed_credentials"
	)
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"none", nil, missing},
		{"empty line", []string{""}, missing},
		{"only separators", []string{"; ;; = ; =;"}, missing},
		{"ours", []string{at + "; " + rt}, pass},
		{"ours, no space", []string{at + ";" + rt}, pass},
		{"ours, several lines", []string{at, rt}, pass},
		{"ours, between others", []string{"a=1; " + at + "; b=2", "c=3; " + rt}, pass},
		{"ours, separators doubled", []string{";; " + at + " ;; "}, pass},
		{"ours, tabs around", []string{"\t__Host-at\t=\t" + tokens.Access.Token + "\t;"}, pass},
		{"ours, beside a nameless one", []string{"=x; " + at}, pass},
		{"ours, beside one without =", []string{"x; " + at}, pass},
		{"ours, beside one with many =", []string{"a=b=c==; " + at}, pass},
		{"ours, beside quotes", []string{`a="b; ` + at}, pass},
		{"ours, beside a comma", []string{"a=b, c=d; " + at}, pass},
		{"ours, beside UTF-8", []string{"né=ü; " + at}, pass},
		{"ours, beside bytes that are no UTF-8", []string{"\xff=\xfe; " + at}, pass},
		{"ours, beside NUL", []string{"a\x00=b\x00; " + at}, pass},
		{"ours, beside a name with spaces", []string{"__Host-at x=" + evil + "; " + at}, pass},

		// Cookies that an attacker could set and that other servers take for these.
		{"evil, behind a space and more", []string{"x __Host-at=" + evil + "; " + at}, pass},
		{"evil, other case", []string{"__host-at=" + evil + "; " + at}, pass},
		{"evil, upper case", []string{"__HOST-AT=" + evil + "; " + at}, pass},
		{"evil, percent-encoded", []string{"__Host%2Dat=" + evil + "; " + at}, pass},
		{"evil, percent-encoded underscore", []string{"%5F_Host-at=" + evil + "; " + at}, pass},
		{"evil, prefixed", []string{"x__Host-at=" + evil + "; " + at}, pass},
		{"evil, suffixed", []string{"__Host-at2=" + evil + "; " + at}, pass},
		{"evil, name with []", []string{"__Host-at[]=" + evil + "; " + at}, pass},
		{"evil, name with dots", []string{"__Host.at=" + evil + "; " + at}, pass},
		{"evil, name with +", []string{"+__Host-at=" + evil + "; " + at}, pass},
		{"evil, quoted name", []string{`"__Host-at"=` + evil + "; " + at}, pass},
		{"evil, NUL before the name", []string{"\x00__Host-at=" + evil + "; " + at}, pass},
		{"evil, NUL behind the name", []string{"__Host-at\x00=" + evil + "; " + at}, pass},
		{"evil, vertical tab", []string{"\v__Host-at=" + evil + "; " + at}, pass},
		{"evil, form feed", []string{"\f__Host-at=" + evil + "; " + at}, pass},
		{"evil, line feed", []string{"\n__Host-at=" + evil + "; " + at}, pass},
		{"evil, carriage return", []string{"\r__Host-at=" + evil + "; " + at}, pass},
		{"evil, unit separator", []string{"\x1f__Host-at=" + evil + "; " + at}, pass},
		{"evil, Latin-1 no-break space", []string{"\xa0__Host-at=" + evil + "; " + at}, pass},
		{"evil, Latin-1 next line", []string{"\x85__Host-at=" + evil + "; " + at}, pass},
		{"evil, no-break space", []string{"\u00a0__Host-at=" + evil + "; " + at}, pass},
		{"evil, em space", []string{"\u2003__Host-at=" + evil + "; " + at}, pass},
		{"evil, em space behind", []string{"__Host-at\u2003=" + evil + "; " + at}, pass},
		{"evil, ideographic space", []string{"\u3000__Host-at=" + evil + "; " + at}, pass},
		{"evil, zero-width space", []string{"\u200b__Host-at=" + evil + "; " + at}, pass},
		{"evil, byte order mark", []string{"\ufeff__Host-at=" + evil + "; " + at}, pass},
		{"evil, full-width letters", []string{"__Host-\uff41t=" + evil + "; " + at}, pass},
		{"evil, old syntax", []string{"$Version=1; $__Host-at=" + evil + "; " + at}, pass},
		{"evil, behind a comma", []string{"a=b, __Host-at=" + evil + "; " + at}, pass},
		{"evil, in a value", []string{"a=__Host-at=" + evil + "; " + at}, pass},
		{"evil, nameless with our name as its value", []string{"=__Host-at=" + evil + "; " + at}, pass},
		{"evil alone, other case", []string{"__host-at=" + evil}, missing},
		{"evil alone, no-break space", []string{"\u00a0__Host-at=" + evil}, missing},
		{"evil alone, nameless with our name as its value", []string{"=__Host-at=" + evil}, missing},
		{"evil alone, behind a comma", []string{"a=b, __Host-at=" + evil}, missing},

		// Malformed and repeated cookies are refused rather than ignored.
		{"two", []string{at + "; __Host-at=" + evil}, malformed},
		{"two, the other first", []string{"__Host-at=" + evil + "; " + at}, malformed},
		{"two, the same", []string{at + "; " + at}, malformed},
		{"two, several lines", []string{at, "a=b; __Host-at=" + evil}, malformed},
		{"two, one in quotes that span", []string{`a="b; __Host-at=` + evil + `"; ` + at}, malformed},
		{"two, one empty", []string{"__Host-at=; " + at}, malformed},
		{"two, one without =", []string{"__Host-at; " + at}, malformed},
		{"two, spaces and tabs", []string{" \t__Host-at \t=" + evil + "; " + at}, malformed},
		{"two refresh cookies", []string{at + "; " + rt + "; " + rt}, malformed},
		{"two refresh cookies, several lines", []string{rt, at, rt}, malformed},
		{"two refresh cookies, one empty", []string{at + "; __Host-rt=; " + rt}, malformed},
		{"empty", []string{"__Host-at="}, malformed},
		{"empty, spaces", []string{"__Host-at= \t "}, malformed},
		{"without =", []string{"__Host-at"}, malformed},
		{"only padding", []string{"__Host-at==="}, malformed},
		{"in quotes", []string{`__Host-at="` + tokens.Access.Token + `"`}, malformed},
		{"percent-encoded", []string{strings.ReplaceAll(at, ".", "%2E")}, malformed},
		{"two parts", []string{at + " x"}, malformed},
		{"comma", []string{at + ",x"}, malformed},
		{"NUL behind", []string{at + "\x00"}, malformed},
		{"NUL before", []string{"__Host-at=\x00" + tokens.Access.Token}, malformed},
		{"no-break space behind", []string{at + "\u00a0"}, malformed},
		{"Latin-1 no-break space behind", []string{at + "\xa0"}, malformed},
		{"line feed behind", []string{at + "\n"}, malformed},
		{"over the size limit", []string{"__Host-at=" + strings.Repeat("a", 8193)}, malformed},
		{"refresh empty", []string{"__Host-rt="}, "401 token_missing"},
		{"refresh in quotes", []string{`__Host-rt="` + tokens.Refresh + `"`}, "401 refresh_invalid clear"},

		// Neither token is accepted in the cookie of the other.
		{"refresh token as access cookie", []string{"__Host-at=" + tokens.Refresh}, "401 token_invalid clear"},
		{"refresh token as both", []string{"__Host-at=" + tokens.Refresh + "; " + rt}, "401 token_invalid clear"},
		{"access token as refresh cookie", []string{"__Host-rt=" + tokens.Access.Token}, "401 refresh_invalid clear"},
		{"swapped", []string{"__Host-at=" + tokens.Refresh + "; __Host-rt=" + tokens.Access.Token}, "401 token_invalid clear"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.subtest(t)
			s.store.taken()
			req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": test.lines}}
			if got := s.decide(req); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("got store calls %s; want none", calls)
			}
		})
	}
	if got := s.decide(jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + tokens.Refresh}}}); got != "401 token_invalid" {
		t.Errorf("refresh token as Bearer: got %s; want 401 token_invalid", got)
	}
}

func FuzzCookieLines(f *testing.F) {
	s := newTestServer(f, withCookies, withoutRecorder)
	token := jwtgatetest.Token(f, s.Auth, "alice")
	for _, seed := range []string{"", "a=b", `a="b; c"`, "__Host-at=x", "__Host-at", "=", ";;", "\x00", "\u00a0__Host-at=", "__Host-rt=", "a=b, __Host-at=c"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, behind string) {
		// The cookie is found, or the request is refused.
		got := s.Decide(t.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {before + "; __Host-at=" + token + ";" + behind}}})
		if got.Identity == nil && got.Refusal.Code != jwtgate.CodeMalformedCredentials && got.Refusal.Code != jwtgate.CodeRefreshInvalid {
			t.Errorf("got %v", got.Refusal)
		}
		if got.Identity != nil && got.Identity.Subject() != "alice" {
			t.Errorf("got %s", got.Identity.Subject())
		}
	})
}

// TestCookieTossing checks a server without the __Host- prefix, for which another subdomain can
// set cookies (cookie tossing): requests with two cookies of one name are refused, and a login
// works.
func TestCookieTossing(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true })
	alice, mallory := s.signIn("alice"), s.signIn("mallory")
	at, rt := "at="+alice.Access.Token, "rt="+alice.Refresh
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"access", []string{"at=" + mallory.Access.Token + "; " + at + "; " + rt}, "400 malformed_credentials"},
		{"refresh", []string{at + "; rt=" + mallory.Refresh + "; " + rt}, "400 malformed_credentials"},
		{"refresh only, access gone", []string{"rt=" + mallory.Refresh + "; " + rt}, "400 malformed_credentials"},
		{"refresh in place of ours", []string{at + "; rt=" + mallory.Refresh}, "pass alice"},
		{"prefixed names are nothing here", []string{at + "; __Host-at=" + mallory.Access.Token}, "pass alice"},
	} {
		s.store.taken()
		if got := s.decide(jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": test.lines}}); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: got store calls %s; want none", test.name, calls)
		}
	}
	s.clock.Advance(time.Hour)
	s.store.taken()
	stitched := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {at + "; rt=" + mallory.Refresh}}}
	if d := s.Decide(t.Context(), stitched); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenInvalid || s.store.taken() != "" {
		t.Errorf("alice's old access and mallory's refresh: got %v, %v", d.Refusal, d.Identity)
	}
	res := s.send(s.loginEndpoint(), postCookies([]string{rt, "rt=" + mallory.Refresh}, aliceLogin))
	if res.Status != http.StatusOK {
		t.Errorf("login with tossed cookies: got %d", res.Status)
	}
}
