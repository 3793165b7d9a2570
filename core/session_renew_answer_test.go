package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewalThenRefused checks that a request that was renewed and then refused by a rule
// gets the new cookies, because its old refresh token has been replaced.
func TestRenewalThenRefused(t *testing.T) {
	t.Parallel()
	type misfit struct {
		Roles int `json:"roles"`
	}
	own := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) {
		return false, &jwtgate.Refusal{Status: http.StatusPaymentRequired, Code: "pay_first"}
	})
	trouble := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return false, errBroken })
	for _, test := range []struct {
		name string
		rule jwtgate.Rule
		want string
		next string // the next request, with the cookies of the answer
	}{
		{"403", jwtgate.Role("admin"), "403 insufficient_scope new", "pass alice"},
		{"402 of the application's own", own, "402 pay_first new", "pass alice"},
		{"503", trouble, "503 unavailable new", "pass alice"},
		{"401, claims", jwtgate.ClaimsOf[misfit](), "401 token_invalid clear", "401 token_missing"},
		{"401, login too old", jwtgate.RecentLogin(time.Minute), "401 login_too_old new", "pass alice"},
		{"zero Rule", jwtgate.Rule{}, "403 insufficient_scope new", "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			b := browserWith(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			d := s.Decide(t.Context(), b.request(http.MethodPost), test.rule)
			if got := s.describe(d); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			b.receive(d.Response.Header)
			if got := s.decide(b.request(http.MethodPost)); got != test.next {
				t.Errorf("after it: got %s; want %s", got, test.next)
			}
			// The same refusal without a renewal has no cookies.
			b = browserWith(s.signIn("alice"))
			s.clock.Advance(10 * time.Minute)
			want := strings.Replace(test.want, " new", "", 1)
			if got := s.decide(b.request(http.MethodPost), test.rule); got != want {
				t.Errorf("not renewed: got %s; want %s", got, want)
			}
		})
	}
}

// TestRenewalThenRefusedCaches checks that a refusal with new cookies is kept out of
// shared caches, even if outer middleware has allowed a CDN to store the answer.
func TestRenewalThenRefusedCaches(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	d := s.Auth.Decide(t.Context(), b.request(http.MethodGet), jwtgate.Role("admin"))
	header := http.Header{"Cdn-Cache-Control": {"max-age=60"}, "Cache-Control": {"max-age=60"}}
	d.Response.CopyHeader(header)
	d.CommitWriter(answerTo{header}).Commit()
	for _, name := range []string{"Cache-Control", "CDN-Cache-Control", "Surrogate-Control"} {
		if got := header.Get(name); got != "no-store" {
			t.Errorf("got %s %q; want no-store", name, got)
		}
	}
}

// TestRenewalCustomRefusal checks that an answer of Config.Refuse also sets or deletes the
// cookies, and is not stored by caches.
func TestRenewalCustomRefusal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		header []jwtgate.Field // of the application's answer
		access time.Duration
		rule   []jwtgate.Rule
		want   string // Set-Cookie, Cache-Control
	}{
		{"renewed", nil, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own cookie", []jwtgate.Field{{Name: "Set-Cookie", Value: "flash=1"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "flash __Host-at __Host-rt, [no-store]"},
		{"renewed, own caching", []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own caching in lower case", []jwtgate.Field{{Name: "cache-control", Value: "public"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own cookie in lower case", []jwtgate.Field{{Name: "set-cookie", Value: "flash=1"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "flash __Host-at __Host-rt, [no-store]"},
		{"good", nil, 0, []jwtgate.Rule{jwtgate.Role("admin")}, ", [no-store]"},
		{"good, own caching", []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}, 0, []jwtgate.Rule{jwtgate.Role("admin")}, ", [no-store]"},
		{"too old a login", nil, 10 * time.Minute, []jwtgate.Rule{jwtgate.RecentLogin(time.Minute)}, ", [no-store]"},
		{"no session any more", nil, 30 * 24 * time.Hour, nil, "-__Host-at -__Host-rt, [no-store]"},
		{"no session any more, own cookie", []jwtgate.Field{{Name: "Set-Cookie", Value: "flash=1"}}, 30 * 24 * time.Hour, nil, "flash -__Host-at -__Host-rt, [no-store]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
				c.Refuse = func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response {
					return jwtgate.Response{Status: http.StatusSeeOther, Header: test.header}
				}
			})
			b := browserWith(s.signIn("alice"))
			s.clock.Advance(test.access)
			d := s.Decide(t.Context(), b.request(http.MethodGet), test.rule...)
			header := http.Header{}
			d.Response.CopyHeader(header)
			var names []string
			for _, line := range header["Set-Cookie"] {
				name, rest, _ := strings.Cut(line, "=")
				if strings.Contains(rest, "Max-Age=0;") {
					name = "-" + name
				}
				names = append(names, name)
			}
			if got := fmt.Sprintf("%s, %v", strings.Join(names, " "), header["Cache-Control"]); got != test.want || d.Response.Status != http.StatusSeeOther {
				t.Errorf("got %d %s; want 303 %s", d.Response.Status, got, test.want)
			}
		})
	}
}

// TestRenewalCaches checks the header fields for caches of every kind of answer.
func TestRenewalCaches(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	good := s.signIn("alice")
	spent := s.signIn("alice")
	s.clock.Advance(10 * time.Minute)
	for _, test := range []struct {
		name  string
		req   jwtgate.Request
		rules []jwtgate.Rule
		want  string
	}{
		{"by cookie", browserWith(good).request("GET"), nil, "Cache-Control: private, Vary: Cookie"},
		{"by cookie, POST", browserWith(good).request("POST"), nil, "Cache-Control: private, Vary: Cookie"},
		{"by cookie, optional", browserWith(good).request("GET"), []jwtgate.Rule{jwtgate.Optional()}, "Cache-Control: private, Vary: Authorization, Cookie"},
		{"renewed", browser{"", spent.Refresh}.request("GET"), nil, "Cache-Control: private, Vary: Cookie, Set-Cookie, Set-Cookie, Cache-Control: no-store, CDN-Cache-Control: no-store, Surrogate-Control: no-store"},
		{"renewed, optional", browser{"", spent.Refresh}.request("GET"), []jwtgate.Rule{jwtgate.Optional()}, "Cache-Control: private, Vary: Authorization, Cookie, Set-Cookie, Set-Cookie, Cache-Control: no-store, CDN-Cache-Control: no-store, Surrogate-Control: no-store"},
		{"by header", jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + good.Access.Token}}}, nil, ""},
		{"by header, optional", jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + good.Access.Token}}}, []jwtgate.Rule{jwtgate.Optional()}, "Vary: Authorization, Cookie"},
		{"nobody, optional", jwtgate.Request{Method: "GET"}, []jwtgate.Rule{jwtgate.Optional()}, "Vary: Authorization, Cookie"},
	} {
		d := s.Decide(t.Context(), test.req, test.rules...)
		var said []string
		for _, f := range d.Response.Header {
			if f.Name == "Set-Cookie" {
				said = append(said, f.Name)
			} else {
				said = append(said, f.Name+": "+f.Value)
			}
		}
		if got := strings.Join(said, ", "); got != test.want || d.Refusal != nil {
			t.Errorf("%s: got %q, %v; want %q", test.name, got, d.Refusal, test.want)
		}
		// An adapter may append to the header of an answer without changing another one.
		for i := range d.Response.Header[:cap(d.Response.Header)][len(d.Response.Header):] {
			t.Errorf("%s: room for %d more fields, which others may share", test.name, i+1)
			break
		}
	}
}

// TestRenewalCommit checks that Commit replaces the cache header fields that a handler set
// in a renewed answer, and that Forward removes conditional header fields from a renewed
// request, so that the handler does not answer 304.
func TestRenewalCommit(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	request := func(b browser) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "https://site.example/report", nil)
		r.Header["Cookie"] = b.cookies()
		for _, name := range conditional {
			r.Header.Set(name, "x")
		}
		return r
	}
	handler := http.Header{"Cache-Control": {"public, max-age=3600", "immutable"}, "Cdn-Cache-Control": {"max-age=60"}}

	r := request(b)
	d := s.Auth.Decide(r.Context(), jwtgate.HTTPRequest(r))
	if got := committed(d); d.Renewed || len(got) > 0 {
		t.Errorf("not renewed: got %v", got)
	}
	d.StripConditional(func(name string) { t.Errorf("not renewed: %s is to be removed", name) })
	forwarded := d.Forward(r)
	if forwarded.Header.Get("If-None-Match") != "x" || forwarded.Header.Get("Range") != "x" || forwarded.Context() != d.Context {
		t.Errorf("not renewed: got %v", forwarded.Header)
	}

	s.clock.Advance(time.Hour)
	r = request(b)
	d = s.Auth.Decide(r.Context(), jwtgate.HTTPRequest(r))
	header := handler.Clone()
	d.CommitWriter(answerTo{header}).Commit()
	header.Del("Set-Cookie")
	if got, want := fmt.Sprint(header), "map[Cache-Control:[no-store] Cdn-Cache-Control:[no-store] Surrogate-Control:[no-store]]"; got != want || !d.Renewed {
		t.Errorf("renewed: got %s; want %s", got, want)
	}
	forwarded = d.Forward(r)
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"} {
		if forwarded.Header.Get(name) != "" {
			t.Errorf("renewed: the handler sees %s", name)
		}
		if r.Header.Get(name) != "x" {
			t.Errorf("renewed: %s is gone from the request that came in", name)
		}
	}
	if id, _ := jwtgate.IdentityFrom(forwarded.Context()); id != d.Identity || forwarded == r {
		t.Error("renewed: the handler has not the identity")
	}

	// Forward returns the same request if there is nothing to change.
	d = s.Decide(forwarded.Context(), jwtgate.HTTPRequest(forwarded))
	if d.Forward(forwarded) != forwarded {
		t.Error("an inner guard made another request of it")
	}
}

// TestCommitWriterOnce checks that the cookies are set when the header of the answer is sent,
// and not again, and that an informational answer has no Set-Cookie field.
func TestCommitWriterOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	d := s.Decide(t.Context(), b.request(http.MethodGet))
	header := http.Header{"Set-Cookie": {"__Host-at=x"}}
	w := d.CommitWriter(answerTo{header})
	w.WriteHeader(http.StatusEarlyHints)
	if lines, ok := header["Set-Cookie"]; ok {
		t.Errorf("informational: got Set-Cookie with %q; want no field", lines)
	}
	w.Flush()
	if got := len(header["Set-Cookie"]); got != 2 {
		t.Errorf("flushed: got %d cookies; want 2", got)
	}
	header.Del("Set-Cookie")
	w.Commit()
	if got := header["Set-Cookie"]; len(got) > 0 {
		t.Errorf("committed again: got the cookies %q; want none", got)
	}
}

// TestRenewalThenSignIn checks a browser that signs in or out in a request that a guard
// has renewed: its answer has the cookies of the last of these.
func TestRenewalThenSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		endpoint func(s *testServer) jwtgate.Endpoint
		body     string
		want     string // the next request, with the cookies of the answer
	}{
		{"login", (*testServer).loginEndpoint, aliceLogin, "pass alice"},
		{"refused login", (*testServer).loginEndpoint, aliceWrongPassword, "pass robert"},
		{"refresh", func(s *testServer) jwtgate.Endpoint { return s.Refresh }, "", "pass robert"},
		{"logout", func(s *testServer) jwtgate.Endpoint { return s.Logout }, "", "401 token_missing"},
		{"logout of all", func(s *testServer) jwtgate.Endpoint { return s.LogoutAll }, "", "401 token_missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			b := browserWith(s.signIn("robert"))
			s.clock.Advance(time.Hour)
			d := s.Auth.Decide(t.Context(), b.request(http.MethodPost), jwtgate.Optional())
			if !d.Renewed {
				t.Fatal("the request was not renewed")
			}
			header := fieldList(test.endpoint(s)(d.Context, b.postJSON(test.body)).Header)
			d.Commit(&header)
			if got := len(fieldValues(header, "Set-Cookie")); got != 2 {
				t.Errorf("got %d cookies; want 2", got)
			}
			b.receive(header)
			if got := s.decide(b.request(http.MethodGet)); got != test.want {
				t.Errorf("after it: got %s; want %s", got, test.want)
			}
		})
	}
}

// TestRenewalThenSignInWithoutCookies checks that the answer to a renewed request still has
// the renewed cookies if the handler signs in with a request of its own, without those cookies.
func TestRenewalThenSignInWithoutCookies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("robert"))
	twice := b.request(http.MethodPost)
	twice = withField(twice, "Cookie", append(b.cookies(), b.cookies()...)...)
	for name, req := range map[string]jwtgate.Request{"none": {}, "twice the same name": twice} {
		s.clock.Advance(time.Hour)
		d := s.Auth.Decide(t.Context(), b.request(http.MethodPost))
		if _, err := s.SignIn(d.Context, req, "alice"); err != nil {
			t.Fatal(err)
		}
		b.receive(committed(d))
		if got := s.decide(b.request(http.MethodGet)); got != "pass robert" {
			t.Errorf("cookies %s: got %s; want the new cookies of robert", name, got)
		}
	}
}

// committed returns the header fields that Commit puts into an empty header.
func committed(d jwtgate.Decision) []jwtgate.Field {
	var header fieldList
	d.Commit(&header)
	return header
}

// answerTo is a writer for an answer with its header, of which nothing is sent.
type answerTo struct{ header http.Header }

func (a answerTo) Header() http.Header         { return a.header }
func (a answerTo) WriteHeader(int)             {}
func (a answerTo) Write(p []byte) (int, error) { return len(p), nil }
