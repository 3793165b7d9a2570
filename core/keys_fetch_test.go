package jwtgate_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A fetchFault is an answer that makes a fetch fail, and the cause that is reported.
type fetchFault struct {
	page  page
	cause string
}

// faults returns answers that make a fetch fail.
func faults(t *testing.T) map[string]fetchFault {
	good := setOf(t, es256("a"))
	many := strings.TrimSuffix(good.body, "]}") + strings.Repeat(`,{"kty":"x"}`, 100) + "]}"
	redirect := func(status int, to string) page {
		return page{status: status, header: http.Header{"Location": {to}}}
	}
	return map[string]fetchFault{
		"connection refused":                {page{err: errors.New("connection refused")}, "keys: connection refused"},
		"not found":                         {page{status: 404, body: good.body}, "the status is not 200: 404"},
		"server error":                      {page{status: 500, body: good.body}, "the status is not 200: 500"},
		"no content":                        {page{status: 204}, "the status is not 200: 204"},
		"another 2xx":                       {page{status: 203, body: good.body}, "the status is not 200: 203"},
		"not modified":                      {page{status: 304}, "the status is not 200: 304"},
		"nothing":                           {page{}, "is not a JWK Set"},
		"HTML":                              {page{body: "<!doctype html><title>Sign in</title>"}, "is not a JWK Set"},
		"null":                              {page{body: "null"}, "is not a JWK Set"},
		"an array":                          {page{body: "[]"}, "is not a JWK Set"},
		"an object without keys":            {page{body: "{}"}, "is not a JWK Set"},
		"keys in another case":              {page{body: strings.Replace(good.body, "keys", "KEYS", 1)}, "is not a JWK Set"},
		"keys null":                         {page{body: `{"keys":null}`}, "is not a JWK Set"},
		"keys an object":                    {page{body: `{"keys":{}}`}, "is not a JWK Set"},
		"keys twice":                        {page{body: strings.TrimSuffix(good.body, "}") + `,"keys":[]}`}, "two members whose names are equal"},
		"no keys":                           {page{body: `{"keys":[]}`}, "no key that can verify tokens"},
		"no key that can be used":           {page{body: `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`}, "no key that can verify tokens"},
		"cut short":                         {page{body: good.body[:len(good.body)-1]}, "is not a JWK Set"},
		"something after it":                {page{body: good.body + "{}"}, "is not a JWK Set"},
		"over 512 KiB":                      {page{body: good.body + strings.Repeat(" ", 512<<10)}, "the document is over 524288 bytes"},
		"without end":                       {page{body: good.body, more: true}, "the document is over 524288 bytes"},
		"an error of many words":            {page{err: errors.New(strings.Repeat("no ", 1000))}, "keys: no no no"},
		"an error of 200 bytes":             {page{err: errors.New(strings.Repeat("x", 200))}, "keys: " + strings.Repeat("x", 200) + ", at "},
		"an error of two lines":             {page{err: errors.New("no\nlevel=ERROR \x1b[31m\u2028")}, "keys: no level=ERROR  [31m , at "}, // a certificate can contain such names
		"over 100 keys":                     {page{body: many}, "more than 100 keys"},
		"too slow":                          {page{body: good.body, after: 6 * time.Second}, "no complete answer before Timeout"},
		"dripping":                          {page{body: good.body, drip: time.Second}, "no complete answer before Timeout"},
		"redirect to another host":          {redirect(302, "https://cdn.example/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to a subdomain":           {redirect(307, "https://keys.idp.example/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to another port":          {redirect(301, "https://idp.example:8443/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to plain HTTP":            {redirect(302, "http://idp.example/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to this machine":          {redirect(302, "http://127.0.0.1/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to a host by user":        {redirect(302, "https://idp.example@evil.example/keys"), "redirected to another host, to another scheme or too often"},
		"redirect in a circle":              {redirect(302, "/keys"), "redirected to another host, to another scheme or too often"},
		"redirect to nowhere":               {redirect(302, ""), "the status is not 200: 302"},
		"redirect to an address that is no": {redirect(302, "https://%zz"), "failed to parse Location header"},
	}
}

// If the first fetch fails, tokens of the issuer are refused with 503. If a later fetch
// fails, the keys stay in use. The next successful fetch ends the failure.
func TestRemoteFaults(t *testing.T) {
	elsewhere := []string{"https://cdn.example/keys", "https://keys.idp.example/keys", "https://idp.example:8443/keys", "http://idp.example/keys", "http://127.0.0.1/keys", "https://evil.example/keys", "https://idp.example@evil.example/keys"}
	for name, fault := range faults(t) {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, later %v", name, later), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					good := setOf(t, es256("a"))
					web := newWeb(map[string]page{providerSet: good})
					for _, address := range elsewhere {
						web.set(address, good)
					}
					d := &diary{}
					auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
					if later {
						decide(t, auth, theirs(t, "a"), accepted)
						time.Sleep(time.Hour)
					}
					web.set(providerSet, fault.page)
					before, want := web.all(), jwtgate.CodeUnavailable
					if later {
						want = accepted
					}
					waited := took(func() { decide(t, auth, theirs(t, "a"), want) })
					if limit := 5 * time.Second; waited > limit || later && waited > 0 {
						t.Errorf("got a wait of %v", waited)
					}
					time.Sleep(5*time.Second + time.Millisecond) // for a fetch in the background
					if got := d.kinds(); !strings.Contains(got, "keys_down×1") {
						t.Errorf("got events %s, want that the fetch failed", got)
					}
					for _, address := range elsewhere {
						if web.fetches(address) > 0 {
							t.Errorf("got %s fetched after %s", web.all(), before)
						}
					}
					for _, e := range d.events {
						if e.Kind == jwtgate.EventKeysDown && !strings.Contains(e.Err.Error(), fault.cause) {
							t.Errorf("got %v, want the cause %q", e.Err, fault.cause)
						}
						if e.Err != nil && (strings.Contains(e.Err.Error(), "doctype") || len(e.Err.Error()) > 400) {
							t.Errorf("got what was fetched in %v", e.Err)
						}
						if e.Err != nil && strings.ContainsFunc(e.Err.Error(), func(c rune) bool { return !unicode.IsPrint(c) }) {
							t.Errorf("got what is not to be printed in %q", e.Err)
						}
						if e.Err != nil && strings.Count(e.Err.Error(), provider) > 1 {
							t.Errorf("got more than the one address in %v", e.Err)
						}
						if e.Issuer != provider {
							t.Errorf("got an event of issuer %q, want %s", e.Issuer, provider)
						}
					}
					fetches := len(strings.Fields(web.all()))
					decide(t, auth, theirs(t, "a"), want)
					synctest.Wait()
					if got := len(strings.Fields(web.all())); got != fetches {
						t.Errorf("got %d fetches more within the cooldown", got-fetches)
					}
					web.set(providerSet, good)
					time.Sleep(10 * time.Second)
					decide(t, auth, theirs(t, "a"), accepted)
					if n := web.open.Load(); n != 0 {
						t.Errorf("got %d bodies that were not closed", n)
					}
				})
			})
		}
	}
}

// A redirect within one origin is followed.
func TestRemoteRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{
			providerSet:           {status: 301, header: http.Header{"Location": {"/v1/keys"}, "Set-Cookie": {"a=b"}}},
			provider + "/v1/keys": {status: 308, header: http.Header{"Location": {provider + "/v2/keys"}}},
			provider + "/v2/keys": {status: 302, header: http.Header{"Location": {"/v3/keys"}}},
			provider + "/v3/keys": setOf(t, es256("a")),
		})
		decide(t, trusting(t, web, keys.Remote{}), theirs(t, "a"), accepted)
		for _, header := range web.seen {
			if header.Get("Cookie") != "" {
				t.Errorf("got a cookie back in %v", header)
			}
		}
	})
}

// A set of the largest size with the largest number of keys can be used.
func TestRemoteLargestSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := strings.TrimSuffix(setOf(t, es256("a")).body, "]}") + strings.Repeat(`,{"kty":"x"}`, 99) + "]}"
		set += strings.Repeat(" ", 512<<10-len(set))
		decide(t, trusting(t, newWeb(map[string]page{providerSet: {body: set}}), keys.Remote{}), theirs(t, "a"), accepted)
	})
}

// If an issuer alternates between two sets, each key is found again within a cooldown.
func TestRemoteFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{})
		auth := trusting(t, web, keys.Remote{})
		const rounds = 20
		for i := range rounds {
			kid := []string{"a", "b"}[i%2]
			web.set(providerSet, setOf(t, es256(kid)))
			decide(t, auth, theirs(t, kid), accepted)
			time.Sleep(10 * time.Second)
		}
		if got := web.fetches(providerSet); got != rounds {
			t.Errorf("got %d fetches, want %d", got, rounds)
		}
	})
}

// The default transport fetches keys over a real connection, gives up on a server that
// does not answer or sends header fields of more than 64 KB, and leaves no goroutine
// behind.
func TestRemoteOverHTTP(t *testing.T) {
	var hang, long atomic.Bool
	body := setOf(t, es256("a")).body
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case hang.Load():
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case long.Load():
			w.Header().Set("Long", strings.Repeat("x", 64<<10))
			_, _ = w.Write([]byte(body))
		case r.URL.Path == "/.well-known/openid-configuration":
			_, _ = fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"http://%[1]s/keys"}`, r.Host)
		default:
			_, _ = w.Write([]byte(body))
		}
	}))
	defer server.Close()
	goroutines := runtime.NumGoroutine()
	newAuth := func(timeout time.Duration) *jwtgate.Auth {
		return newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
			c.Trusted = []jwtgate.TrustedIssuer{{Name: server.URL, Keys: keys.Remote{Timeout: timeout}}}
		})
	}
	token := withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","kid":"a"}`, claims("iss", strconv.Quote(server.URL))))
	auth := newAuth(time.Minute)
	decide(t, auth, token, accepted)
	auth.Close()
	long.Store(true)
	auth = newAuth(time.Minute)
	if d := decide(t, auth, token, jwtgate.CodeUnavailable); !strings.Contains(d.Refusal.Error(), "headers exceeded 65536 bytes") {
		t.Errorf("got %v; want that the header is too long", d.Refusal)
	}
	auth.Close()
	hang.Store(true)
	auth = newAuth(time.Second)
	if got := took(func() { decide(t, auth, token, jwtgate.CodeUnavailable) }); got < time.Second {
		t.Errorf("got an answer after %v, want it after 1 s", got)
	}
	auth.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("got %d goroutines, want the %d of before", runtime.NumGoroutine(), goroutines)
		}
	}
}
