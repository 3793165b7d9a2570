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
)

// TestBrowser drives the demo page of each server in a browser of its own kind of
// device: sessions with cookies are for browsers, and what a browser sends along
// and keeps to itself is not ours to imitate.
func TestBrowser(t *testing.T) {
	chromium := startBrowser(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The window is longer than what a busy machine may keep a request
			// waiting, and long enough for tokens to expire within it and beyond.
			p := start(t, name, "JWT_KEY="+secret, "ACCESS_TTL=3s", "REUSE_WINDOW=4s")
			laptop := chromium.device(t)
			laptop.signIn(p)
			old := laptop.cookies(p)
			laptop.keepsSecrets(p)
			laptop.renewsItself()
			laptop.works(p)
			laptop.signsOutAnother(p, chromium.device(t))
			laptop.staysOnSite(p)
			laptop.losesStolenSession(p, old["__Host-rt"])
			laptop.signsOut(p, chromium.device(t))
			chromium.device(t).holdsTokens(p)
		})
	}
}

// TestHome wants the demo page to come with what shields it.
func TestHome(t *testing.T) {
	for _, p := range startAll(t) {
		got := p.want(t, 200, "script-src 'self' 'sha256-", "GET", "/", "")
		for name, value := range content.HomeHeader {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s: %q, want %q", p.name, name, got.header[name], value)
			}
		}
	}
}

// keepsSecrets wants no token where a script can read it, and no script on the
// page but its own.
func (b tab) keepsSecrets(p *process) {
	b.t.Helper()
	if got := eval[string](b, `document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)`); got != "" {
		b.t.Errorf("a script reads %s", got)
	}
	page := eval[string](b, `document.documentElement.outerHTML`)
	for name, value := range b.cookies(p) {
		if strings.Contains(page, value) {
			b.t.Errorf("%s is in the page", name)
		}
	}
	b.do(`const script = document.createElement("script"); script.textContent = "injected = true"; document.body.append(script)`)
	if eval[bool](b, `"injected" in window`) {
		b.t.Error("the page ran a script that was put into it")
	}
}

// renewsItself has the access token expire, and one click renew it.
func (b tab) renewsItself() {
	b.t.Helper()
	b.until("the access token has expired", expired)
	b.until("it is renewed by one click", `renewals > 0`, `document.querySelector("[data-call='POST /notes']").click()`)
	b.until("the note is written", `$("log").textContent.includes("POST /notes  201")`)
	if got := eval[string](b, state); got != "signed-in" {
		b.t.Errorf("after the renewal: %s", got)
	}
}

// works has three tabs renew the same session at once, and then use it for all
// that the page can do, one hundred times each and until it was renewed again.
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

// signsOutAnother signs out another device, from the list on the page.
func (b tab) signsOutAnother(p *process, other tab) {
	b.t.Helper()
	other.signIn(p)
	b.do(`act(() => {})()`)
	b.until("both devices are listed", `$("devices").children.length === 2 && $("devices").innerText.includes("this one")`)
	b.do(`$("devices").querySelector("button").click()`)
	b.until("one is gone", `$("devices").children.length === 1`)
	other.do(`$("logout-all").click()`) // which must not go for us
	other.until("the other one is signed out", state+` === "signed-out"`)
	b.do(`act(() => {})()`)
	b.until("this one is not", state+` === "signed-in"`)
}

// staysOnSite has pages of other origins try to act for the user: of the same
// site (another port), from where the cookies come along, and of another one.
func (b tab) staysOnSite(p *process) {
	b.t.Helper()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		enctype := "application/x-www-form-urlencoded"
		if r.URL.Path == "/notes" {
			enctype = "text/plain" // as near to JSON as a form gets
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
					b.t.Errorf("%s: POST %s: %d, want %d", test.origin, test.path, got.Response.Status, test.want)
				}
				break
			}
		}
	}

	// What is no WebSocket answers 200 to who may open one. An Upgrade is not
	// renewed, so that we come with a new token.
	b.until("the access token has expired", expired)
	const invalid = "no valid credentials available" // 401, without cookies
	for _, test := range []struct{ origin, want string }{{p.url, "code: 200"}, {evil.URL, "code: 403"}, {elsewhere(evil), invalid}} {
		visitor := b.another()
		visitor.open(test.origin) // the demo page asks who is signed in
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
				b.t.Errorf("WebSocket from %s: %s, want %s", test.origin, got.ErrorMessage, test.want)
			}
			break
		}
	}

	if got := eval[string](b, sidOf); got != sid {
		b.t.Errorf("session %q is now %q", sid, got)
	}
	if got := eval[int](b, `call("GET", "/notes").then(answer => answer.json()).then(notes => notes.length)`); got != notes {
		b.t.Errorf("%d notes are now %d", notes, got)
	}
}

// losesStolenSession replays the refresh token that the browser got at login.
func (b tab) losesStolenSession(p *process, old string) {
	b.t.Helper()
	p.want(b.t, 401, `"code":"refresh_reused"`, "GET", "/me", "", "Cookie: __Host-rt="+old)
	b.do(`act(() => {})()`)
	b.until("the session is over", state+` === "signed-out"`)
	if got := b.cookies(p); len(got) > 0 {
		b.t.Errorf("cookies that are left: %q", got)
	}
}

// signsOut signs out on one device, and then everywhere.
func (b tab) signsOut(p *process, other tab) {
	b.t.Helper()
	b.signIn(p)
	other.signIn(p)
	b.do(`$("logout").click()`)
	b.until("signed out", state+` === "signed-out"`)
	if got := b.cookies(p); len(got) > 0 {
		b.t.Errorf("cookies that are left: %q", got)
	}
	b.signIn(p)
	b.do(`$("logout-all").click()`)
	b.until("signed out", state+` === "signed-out"`)
	other.do(`act(() => {})()`)
	other.until("the other one, too", state+` === "signed-out"`)
}

// holdsTokens has the page hold the tokens itself, and no cookie.
func (b tab) holdsTokens(p *process) {
	b.t.Helper()
	b.open(p.url)
	b.until("the form is there", state+` === "signed-out"`)
	b.until("the page says who holds the tokens", `document.body.innerText.includes("page's own storage")`, `$("no-cookies").click()`)
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
	other.until("the other tab, too", state+` === "signed-out"`)
	if got := eval[int](b, `localStorage.length`); got != 0 {
		b.t.Errorf("%d tokens are left", got)
	}
	b.until("signed in by cookies", state+` === "signed-in"`, `$("no-cookies").click()`, `document.querySelector("#login button").click()`)
	b.keepsSecrets(p)
}

// Expressions about the demo page.
const (
	state   = `document.body.dataset.state`
	expired = `Date.now() > expires * 1000`
	sidOf   = `call("GET", "/me").then(answer => answer.json()).then(claims => claims.sid)`
)

// elsewhere returns the URL of server on a host that is another site.
func elsewhere(server *httptest.Server) string {
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// A tab is of a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// startBrowser starts a browser with a new profile, until the test ends.
func startBrowser(t *testing.T) tab {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser is not for short tests")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(installed(t, "chromium", "chromium-browser", "google-chrome")),
		chromedp.NoSandbox, // root, and containers, have none; all that it visits is ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-crash-reporter", true),
		chromedp.Flag("disable-quic", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...) // t.Context() would end before the cleanup
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return tab{t, ctx}
}

// device returns a tab of a browser that shares nothing with b.
func (b tab) device(t *testing.T) tab {
	return tab{t, b.ctx}.another(chromedp.WithNewBrowserContext())
}

// another returns another tab.
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

// signIn opens the demo page and sends its form.
func (b tab) signIn(p *process) {
	b.t.Helper()
	b.open(p.url)
	b.until("the form is there", state+` === "signed-out"`)
	if err := chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#login button"))); err != nil {
		b.t.Fatal(err)
	}
	b.until("signed in", state+` === "signed-in" && $("devices").children.length > 0`)
}

// cookies returns those that the browser has for p.
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

// try returns what a JavaScript expression comes to.
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

// do runs statements, and waits for nothing.
func (b tab) do(statements string) {
	b.t.Helper()
	eval[chromedp.Void](b, "{ "+statements+" }; undefined")
}

// until runs statements once, and waits for an expression to come true.
func (b tab) until(what, expression string, statements ...string) {
	b.t.Helper()
	b.do(strings.Join(statements, ";"))
	for deadline := time.Now().Add(patience); !eval[bool](b, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not so\n%s", what, eval[string](b, `document.body.innerText`))
		}
	}
}
