package examples

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/jwtgate/jwtgate/examples/internal/content"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// TestBrowser drives the demo page of each server in a real browser, because only
// a real browser shows which cookies it sends and hides. The servers are made of two HTTP
// servers, net/http and fasthttp. For one of each, the visit is long.
func TestBrowser(t *testing.T) {
	chromium := startBrowser(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The reuse window is longer than a busy machine delays a request. Tokens
			// expire both within the window and after it.
			p := start(t, name, "JWT_KEY="+secret, "ACCESS_TTL=3s", "REUSE_WINDOW=4s")
			laptop := chromium.device(t)
			laptop.signIn(p)
			old := laptop.cookies(p)
			laptop.keepsSecrets(p)
			laptop.renewsItself()
			if name != "nethttp" && name != "fiber" {
				laptop.signsOut(p)
				return
			}
			laptop.works(p)
			laptop.signsOutAnother(p, chromium.device(t))
			laptop.staysOnSite(p)
			laptop.losesStolenSession(p, old["__Host-rt"])
			laptop.signIn(p)
			laptop.signsOut(p)
			laptop.signsOutEverywhere(p, chromium.device(t))
			chromium.device(t).holdsTokens(p)
		})
	}
}

// TestHome checks that the demo page has its security header fields.
func TestHome(t *testing.T) {
	for _, p := range startAll(t) {
		got := p.want(t, 200, "script-src 'self' 'sha256-", "GET", "/", "")
		for name, value := range content.HomeHeader {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s: got %q; want %q", p.name, name, got.header[name], value)
			}
		}
	}
}

// keepsSecrets checks that no script can read a token, and that the page runs no
// injected script.
func (b tab) keepsSecrets(p *process) {
	b.t.Helper()
	if got := eval[string](b, `document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)`); got != "" {
		b.t.Errorf("a script can read %s", got)
	}
	page := eval[string](b, `document.documentElement.outerHTML`)
	for name, value := range b.cookies(p) {
		if strings.Contains(page, value) {
			b.t.Errorf("%s is in the page", name)
		}
	}
	b.do(`const script = document.createElement("script"); script.textContent = "injected = true"; document.body.append(script)`)
	if eval[bool](b, `"injected" in window`) {
		b.t.Error("the page ran an injected script")
	}
}

// renewsItself lets the access token expire, and checks that one click renews it.
func (b tab) renewsItself() {
	b.t.Helper()
	b.until("the access token has expired", expired)
	b.until("it is renewed by one click", `renewals > 0`, `document.querySelector("[data-call='POST /notes']").click()`)
	b.until("the note is written", `$("log").textContent.includes("POST /notes  201")`)
	if got := eval[string](b, state); got != "signed-in" {
		b.t.Errorf("after the renewal: %s", got)
	}
}

// works checks that three tabs can renew the same session concurrently. Each tab
// then clicks the page's buttons at least one hundred times, and until the session
// was renewed twice more.
func (b tab) works(p *process) {
	b.t.Helper()
	tabs := []tab{b, b.another(), b.another()}
	for _, b := range tabs[1:] {
		b.open(p.url)
		b.until("another tab is signed in", state+` === "signed-in"`)
	}
	var all sync.WaitGroup
	for i, b := range tabs {
		b.until("the access token has expired", expired)
		all.Go(func() {
			got, err := try[[]string](b, `(async () => {
				const wrong = [(await call("GET", "/me")).status].filter(status => status !== 200);
				const buttons = document.querySelectorAll("[data-call]");
				const enough = renewals + 2;
				for (let i = 0; !wrong.length && (i < 100 || renewals < enough); i++) {
					await buttons[i % buttons.length].onclick();
					if (document.body.dataset.state !== "signed-in" || !$("problem").hidden || !$("log").querySelector(".good"))
						wrong.push(i + ": " + document.body.innerText);
				}
				return wrong.map(String);
			})()`)
			if err != nil || len(got) > 0 {
				b.t.Errorf("tab %d: %q, %v", i, got, err)
			}
		})
	}
	all.Wait()
}

// signsOutAnother signs out another device in the list on the page.
func (b tab) signsOutAnother(p *process, other tab) {
	b.t.Helper()
	other.signIn(p)
	b.do(`act(() => {})()`)
	b.until("both devices are listed", `$("devices").children.length === 2 && $("devices").innerText.includes("this device")`)
	b.do(`$("devices").querySelector("button").click()`)
	b.until("only one device is listed", `$("devices").children.length === 1`)
	other.do(`$("logout-all").click()`) // must not sign out b, because other is signed out already
	other.until("the other device is signed out", state+` === "signed-out"`)
	b.do(`act(() => {})()`)
	b.until("this device is still signed in", state+` === "signed-in"`)
}

// staysOnSite checks that pages of other origins cannot act for the user. One such
// origin is of the same site (another port), so the browser sends the cookies with
// its requests. The other is of another site.
func (b tab) staysOnSite(p *process) {
	b.t.Helper()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		enctype := "application/x-www-form-urlencoded"
		if r.URL.Path == "/notes" {
			enctype = "text/plain" // lets a form send a body that is JSON
		}
		_, _ = fmt.Fprintf(w, `<form method="post" action="%s" enctype="%s"><input name='{"text":"evil' value='"}'></form>`, p.url+r.URL.Path, enctype)
	}))
	b.t.Cleanup(evil.Close)
	notes := eval[int](b, `call("GET", "/notes").then(answer => answer.json()).then(notes => notes.length)`)
	sid := eval[string](b, sidOf)

	for _, test := range []struct {
		origin, path string
		want         int64
	}{
		{evil.URL, "/notes", 403},
		{evil.URL, "/logout", 403},
		{evil.URL, "/logout/all", 403},
		{evil.URL, "/login", 403},
		{elsewhere(evil), "/notes", 401}, // without cookies
		{elsewhere(evil), "/logout", 204},
		{elsewhere(evil), "/logout/all", 401},
		{elsewhere(evil), "/login", 403},
	} {
		visitor := b.another()
		visitor.open(test.origin + test.path)
		answers := chromedp.Events(visitor.ctx, network.ResponseReceived)
		visitor.do(`document.forms[0].submit()`)
		for got, err := range answers {
			if err != nil {
				b.t.Fatal(err)
			}
			if got.Response.URL == p.url+test.path {
				if got.Response.Status != test.want {
					b.t.Errorf("%s: POST %s: got %d; want %d", test.origin, test.path, got.Response.Status, test.want)
				}
				break
			}
		}
	}

	// The server has no WebSocket, so an accepted request gets 200. The server does
	// not renew tokens of Upgrade requests, so the page must have a new one.
	b.until("the access token has expired", expired)
	const invalid = "no valid credentials available" // 401, without cookies
	for _, test := range []struct{ origin, want string }{{p.url, "code: 200"}, {evil.URL, "code: 403"}, {elsewhere(evil), invalid}} {
		visitor := b.another()
		visitor.open(test.origin) // the demo page renews the token
		if test.origin == p.url {
			visitor.until("the token is new", state+` === "signed-in"`)
		}
		failures := chromedp.Events(visitor.ctx, network.WebSocketFrameError)
		visitor.do(`new WebSocket("` + strings.Replace(p.url, "http", "ws", 1) + `/me")`)
		for got, err := range failures {
			if err != nil {
				b.t.Fatal(err)
			}
			if !strings.HasSuffix(got.ErrorMessage, test.want) {
				b.t.Errorf("WebSocket from %s: got %s; want %s", test.origin, got.ErrorMessage, test.want)
			}
			break
		}
	}

	if got := eval[string](b, sidOf); got != sid {
		b.t.Errorf("the session has changed: got %q; want %q", got, sid)
	}
	if got := eval[int](b, `call("GET", "/notes").then(answer => answer.json()).then(notes => notes.length)`); got != notes {
		b.t.Errorf("the number of notes has changed: got %d; want %d", got, notes)
	}
}

// losesStolenSession replays the browser's first refresh token, which ends the session.
func (b tab) losesStolenSession(p *process, old string) {
	b.t.Helper()
	p.want(b.t, 401, `"code":"refresh_reused"`, "GET", "/me", "", "Cookie: __Host-rt="+old)
	b.do(`act(() => {})()`)
	b.until("the session is over", state+` === "signed-out"`)
	if got := b.cookies(p); len(got) > 0 {
		b.t.Errorf("cookies that are left: %q", got)
	}
}

// signsOut signs out on one device.
func (b tab) signsOut(p *process) {
	b.t.Helper()
	b.do(`$("logout").click()`)
	b.until("signed out", state+` === "signed-out"`)
	if got := b.cookies(p); len(got) > 0 {
		b.t.Errorf("cookies that are left: %q", got)
	}
}

// signsOutEverywhere signs in on two devices, and signs out on both from one.
func (b tab) signsOutEverywhere(p *process, other tab) {
	b.t.Helper()
	b.signIn(p)
	other.signIn(p)
	b.do(`$("logout-all").click()`)
	b.until("signed out", state+` === "signed-out"`)
	other.do(`act(() => {})()`)
	other.until("the other device is signed out", state+` === "signed-out"`)
}

// holdsTokens checks the page in the mode in which it stores the tokens itself.
func (b tab) holdsTokens(p *process) {
	b.t.Helper()
	b.open(p.url)
	b.until("the form is there", state+` === "signed-out"`)
	b.until("the page says where the tokens are", `document.body.innerText.includes("page's own storage")`, `$("no-cookies").click()`)
	b.until("signed in", state+` === "signed-in" && $("devices").children.length > 0`, `document.querySelector("#login button").click()`)
	if got := b.cookies(p); len(got) > 0 {
		b.t.Errorf("cookies: %q", got)
	}
	b.until("the access token has expired", expired)
	b.until("it is renewed by one click", `renewals > 0`, `document.querySelector("[data-call='POST /notes']").click()`)
	b.until("the note is written", `$("log").textContent.includes("POST /notes  201")`)

	other := b.another()
	other.open(p.url)
	other.until("another tab is signed in", state+` === "signed-in"`)
	b.until("signed out", state+` === "signed-out"`, `$("logout").click()`)
	other.until("the other tab is signed out", state+` === "signed-out"`)
	if got := eval[int](b, `localStorage.length`); got != 0 {
		b.t.Errorf("%d items are left in the storage", got)
	}
	b.until("signed in by cookies", state+` === "signed-in"`, `$("no-cookies").click()`, `document.querySelector("#login button").click()`)
	b.keepsSecrets(p)
}

// JavaScript expressions for the demo page.
const (
	state   = `document.body.dataset.state`
	expired = `Date.now() > expires * 1000`
	sidOf   = `call("GET", "/me").then(answer => answer.json()).then(claims => claims.sid)`
)

// elsewhere returns the URL of server with a host name of another site.
func elsewhere(server *httptest.Server) string {
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// A tab is a tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// startBrowser starts a browser with a new profile. It stops when the test ends.
func startBrowser(t *testing.T) tab {
	t.Helper()
	return tab{t, programs.Chromium(t)}
}

// device returns a tab that shares no cookies and no storage with b.
func (b tab) device(t *testing.T) tab {
	return tab{t, b.ctx}.another(chromedp.WithNewBrowserContext())
}

// another opens another tab.
func (b tab) another(options ...chromedp.ContextOption) tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, options...)
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	return tab{b.t, ctx}
}

func (b tab) open(url string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatal(err)
	}
}

// signIn opens the demo page and submits its login form.
func (b tab) signIn(p *process) {
	b.t.Helper()
	b.open(p.url)
	b.until("the form is there", state+` === "signed-out"`)
	if err := chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#login button"))); err != nil {
		b.t.Fatal(err)
	}
	b.until("signed in", state+` === "signed-in" && $("devices").children.length > 0`)
}

// cookies returns the browser's cookies for p, and checks their attributes.
func (b tab) cookies(p *process) map[string]string {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{p.url}})
	if err != nil {
		b.t.Fatal(err)
	}
	values := make(map[string]string)
	for _, c := range got.Cookies {
		values[c.Name] = c.Value
		if !c.HTTPOnly || !c.Secure || c.SameSite != network.CookieSameSiteLax || c.Path != "/" {
			b.t.Errorf("cookie %+v", c)
		}
	}
	return values
}

// try returns the value of a JavaScript expression.
func try[T any](b tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

func eval[T any](b tab, expression string) T {
	b.t.Helper()
	got, err := try[T](b, expression)
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// do runs statements and does not wait for promises.
func (b tab) do(statements string) {
	b.t.Helper()
	eval[chromedp.Void](b, "{ "+statements+" }; undefined")
}

// until runs statements once, and waits until an expression is true.
func (b tab) until(what, expression string, statements ...string) {
	b.t.Helper()
	b.do(strings.Join(statements, ";"))
	for deadline := time.Now().Add(patience); !eval[bool](b, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not true after %v: %s\n%s", patience, what, eval[string](b, `document.body.innerText`))
		}
	}
}
