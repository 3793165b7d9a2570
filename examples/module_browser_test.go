package examples

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestModuleInTabs checks that two tabs can share a session over several lifetimes
// of its access token. Each tab repeatedly sends 25 concurrent requests. The browser
// uses only six connections, so a token must live longer than a request waits for
// a connection, even on a busy machine.
func TestModuleInTabs(t *testing.T) {
	chromium := startBrowser(t)
	g := startGateway(t, start(t, "nethttp", "JWT_KEY="+secret, "ACCESS_TTL=5s", "REUSE_WINDOW=5s"))
	one := chromium.device(t)
	one.hold(g.url, localStorage)
	one.holderSignsIn()
	other := one.another()
	other.hold(g.url, localStorage)

	var all sync.WaitGroup
	for i, b := range []tab{one, other} {
		all.Go(func() {
			got, err := try[int](b, `(async () => {
				const first = tokens().access_token, seen = new Set([first]);
				let calls = 0;
				while (seen.size < 4) {
					const statuses = await many("/me", 25);
					if (statuses.some(status => status !== 200)) throw new Error(statuses.join());
					seen.add(tokens().access_token);
					calls += 25;
				}
				return calls;
			})()`)
			if err != nil {
				b.t.Errorf("tab %d: %v", i, err)
			}
			b.t.Logf("tab %d: %d calls", i, got)
		})
	}
	all.Wait()
	// Three tokens expire, and perhaps a fourth before the slower tab has finished.
	// Each expiry causes one refresh, or two if a tab gets the lock before it sees the
	// other tab's change to the storage.
	refreshes, events := g.count(), append(one.events(), other.events()...)
	if refreshes < 3 || refreshes > 8 || len(events) > refreshes || slices.Contains(events, "login-required") {
		t.Errorf("got %d refreshes, events %q; want 3 to 8 and no login-required", refreshes, events)
	}
	t.Logf("%d refreshes", refreshes)
}

// TestModuleFaults checks that the session of a tab survives faults of the network
// and of the server, and ends only if the server ends it.
func TestModuleFaults(t *testing.T) {
	chromium := startBrowser(t)
	p := start(t, "nethttp", "JWT_KEY="+secret)
	g := startGateway(t, p)
	for _, test := range []struct {
		name      string
		faults    []fault
		status    int
		refreshes int
		events    string
	}{
		{"none", nil, 200, 1, "renewed"},
		{"an answer is lost", []fault{dropped}, 200, 2, "renewed"},
		{"two answers are lost", []fault{dropped, dropped}, 401, 2, ""},
		{"the server is unavailable", []fault{unavailable}, 401, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := chromium.device(t)
			b.hold(g.url, localStorage)
			b.holderSignsIn()
			b.do(`spoil()`)
			g.count()
			g.then(test.faults...)
			got := eval[int](b, `get("/me")`)
			refreshes, events := g.count(), b.events()
			if got != test.status || refreshes != test.refreshes || strings.Join(events, " ") != test.events {
				t.Errorf("got %d after %d refreshes, events %q; want %d, %d, %q", got, refreshes, events, test.status, test.refreshes, test.events)
			}
			b.until("requests succeed after the pause", `(async () => await get("/me") === 200)()`)
			if got := b.events(); test.events == "" && strings.Join(got, " ") != "renewed" {
				t.Errorf("after the pause: got events %q; want renewed", got)
			}
		})
	}

	t.Run("offline", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, localStorage)
		b.holderSignsIn()
		b.do(`spoil()`)
		b.offline(true)
		if got := eval[string](b, `get("/me").catch(error => error.name)`); got != "TypeError" {
			t.Errorf("offline: got %s; want TypeError", got)
		}
		b.do(`localStorage.setItem("jwtgate", JSON.stringify({ ...tokens(), received: 0 }))`) // a token whose life is over
		if got := eval[string](b, `get("/me").catch(error => error.name)`); got != "TypeError" {
			t.Errorf("offline with an old token: got %s; want TypeError", got)
		}
		b.offline(false)
		b.until("requests succeed again", `(async () => await get("/me") === 200)()`)
		if got := b.events(); strings.Join(got, " ") != "renewed" {
			t.Errorf("got events %q; want renewed", got)
		}
	})

	t.Run("an answer is late", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, `{ storage: window.localStorage, patience: 500 }`)
		b.holderSignsIn()
		b.do(`spoil()`)
		g.count()
		hold, _, release := held()
		defer release()
		g.then(hold)
		if got := eval[int](b, `get("/me")`); got != 200 || g.count() < 2 {
			t.Errorf("got %d; want 200 after a second refresh", got)
		}
	})

	t.Run("a caller aborts", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, localStorage)
		b.holderSignsIn()
		b.do(`spoil()`)
		g.count()
		hold, arrived, release := held()
		defer release()
		g.then(hold)
		b.do(`window.caller = new AbortController();
			window.gone = session.fetch("/me", { signal: caller.signal }).catch(error => error.name);
			window.patient = get("/me");
			window.silent = session.fetch("/me", { signal: new AbortController().signal })`)
		arrived()
		if got := eval[string](b, `(caller.abort(), gone)`); got != "AbortError" {
			t.Errorf("the caller got %s; want AbortError", got)
		}
		release()
		if got := eval[int](b, `patient`); got != 200 || g.count() != 1 {
			t.Errorf("the other requests: got %d; want 200 after the same refresh", got)
		}
	})

	t.Run("a sign-out during a refresh", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, localStorage)
		b.holderSignsIn()
		access := eval[string](b, `tokens().access_token`)
		b.do(`spoil()`)
		hold, arrived, release := held()
		defer release()
		g.then(hold)
		b.do(`window.waiting = get("/me")`)
		arrived()
		if !eval[bool](b, `session.signOut()`) {
			t.Error("the server did not confirm the sign-out")
		}
		release()
		if got := eval[int](b, `waiting`); got != 401 {
			t.Errorf("the waiting request: got %d; want 401", got)
		}
		if eval[bool](b, `session.signedIn || tokens() !== null`) || len(b.events()) > 0 {
			t.Error("the refresh has restored the session")
		}
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", bearer(access))
	})

	t.Run("another tab is refreshing", func(t *testing.T) {
		one := chromium.device(t)
		one.hold(g.url, localStorage)
		one.holderSignsIn()
		one.do(`spoil()`)
		other := one.another()
		other.hold(g.url, `{ storage: window.localStorage, patience: 20000 }`)
		hold, arrived, release := held()
		defer release()
		g.then(hold)
		g.count()
		one.do(`window.waiting = get("/me")`)
		arrived()
		other.do(`window.waiting = get("/me")`)
		other.until("the other tab waits for the lock", `navigator.locks.query().then(({ pending }) => pending.length === 1)`)
		release()
		// The other tab may get the lock before it sees the change to the storage.
		if first, second := eval[int](one, `waiting`), eval[int](other, `waiting`); first != 200 || second != 200 || g.count() > 2 {
			t.Errorf("got %d and %d; want 200 after one or two refreshes", first, second)
		}
	})

	t.Run("another tab never releases the lock", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, `{ storage: window.localStorage, patience: 1000 }`)
		b.holderSignsIn()
		other := b.another()
		other.open(g.url + "/blank")
		if !eval[bool](other, `new Promise(held => { navigator.locks.request("jwtgate", () => { held(true); return new Promise(() => {}); }); })`) {
			t.Fatal("the other tab cannot get the lock")
		}
		b.do(`spoil()`)
		g.count()
		if got := eval[int](b, `get("/me")`); got != 200 || g.count() != 1 {
			t.Errorf("got %d; want 200 after one refresh", got)
		}
	})

	t.Run("a reload", func(t *testing.T) {
		b := chromium.device(t)
		b.hold(g.url, localStorage)
		b.holderSignsIn()
		g.count()
		b.hold(g.url, localStorage)
		if got := eval[int](b, `get("/me")`); got != 200 || g.count() != 0 {
			t.Errorf("got %d; want 200 without a refresh", got)
		}
		b.hold(g.url, `{}`)
		if got := eval[int](b, `get("/me")`); got != 401 {
			t.Errorf("in memory: got %d; want 401", got)
		}
	})

	t.Run("the session ends", func(t *testing.T) {
		one := chromium.device(t)
		one.hold(g.url, localStorage)
		one.holderSignsIn()
		other := one.another()
		other.hold(g.url, localStorage)
		p.want(t, 204, "", "POST", "/logout", "", bearer(eval[string](one, `tokens().access_token`)))
		g.count()
		if got := eval[[]int](one, `many("/me", 50)`); slices.ContainsFunc(got, func(status int) bool { return status != 401 }) || g.count() != 1 {
			t.Errorf("got %d; want 401 after one refresh", got)
		}
		other.until("the other tab has got an event", `events.length > 0`)
		for _, b := range []tab{one, other} {
			if got := b.events(); strings.Join(got, " ") != "login-required" || eval[bool](b, `session.signedIn`) {
				t.Errorf("got events %q; want login-required", got)
			}
		}
		one.holderSignsIn()
		other.until("the other tab is signed in too", `session.signedIn`)
		if got := eval[int](other, `get("/me")`); got != 200 {
			t.Errorf("the other tab: got %d; want 200", got)
		}
		eval[bool](one, `session.signOut()`)
		other.until("the other tab is signed out too", `events.length > 0`)
	})
}

// TestModuleAndOrigins checks that the module sends the token only to the session's
// origin, even after redirects, and that it works on a page of another origin.
func TestModuleAndOrigins(t *testing.T) {
	chromium := startBrowser(t)
	g := startGateway(t, start(t, "nethttp", "JWT_KEY="+secret))
	asked := make(chan string, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allow(w, r, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Method + " " + r.Header.Get("Authorization") }))
	}))
	t.Cleanup(elsewhere.Close)
	b := chromium.device(t)
	b.hold(g.url, localStorage)
	b.holderSignsIn()
	for _, test := range []struct{ path, want string }{
		{elsewhere.URL + "/", "GET "},
		{"/away?" + elsewhere.URL + "/", "GET "},
		{"/away?/me", ""},
	} {
		if status := eval[int](b, `get("`+test.path+`")`); status != 200 {
			t.Errorf("%s: got %d; want 200", test.path, status)
		}
		if got := waiting(asked); got != test.want {
			t.Errorf("%s: the other origin got %q; want %q", test.path, got, test.want)
		}
	}
	g.then(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, elsewhere.URL+"/", http.StatusTemporaryRedirect)
	}, unavailable)
	b.do(`spoil()`)
	if status := eval[int](b, `get("/me")`); status != 401 {
		t.Errorf("a redirected refresh: got %d; want 401", status)
	}
	if got := waiting(asked); got != "" {
		t.Errorf("a redirected refresh: the other origin got %q; want nothing", got)
	}

	// On a page of another origin, scripts cannot read the WWW-Authenticate field.
	b = chromium.device(t)
	b.hold(strings.Replace(g.url, "127.0.0.1", "localhost", 1), `{ storage: window.localStorage, origin: "`+g.url+`" }`)
	b.holderSignsIn()
	b.do(`spoil()`)
	g.count()
	if got := eval[int](b, `get("`+g.url+`/me")`); got != 200 || g.count() != 1 {
		t.Errorf("from another origin: got %d; want 200 after one refresh", got)
	}
}

// waiting returns the value that waits in c, or "" if there is none.
func waiting(c <-chan string) string {
	select {
	case s := <-c:
		return s
	default:
		return ""
	}
}

// hold opens an empty page at url and creates a session of the module in it.
func (b tab) hold(url, options string) {
	b.t.Helper()
	b.open(url + "/blank")
	eval[chromedp.Void](b, `import("/jwtgate.js").then(({ Session }) => {
		window.session = new Session(`+options+`);
		window.events = [];
		for (const type of ["renewed", "login-required"]) session.addEventListener(type, () => events.push(type));
		window.tokens = () => JSON.parse(localStorage.getItem("jwtgate"));
		window.get = async path => (await session.fetch(path)).status;
		window.many = (path, n) => Promise.all(Array.from({ length: n }, () => session.fetch(path).then(({ status }) => status)));
		window.spoil = () => localStorage.setItem("jwtgate", JSON.stringify({ ...tokens(), access_token: "spoilt" }));
	})`)
}

// offline disconnects the tab from the network, or connects it again.
func (b tab) offline(yes bool) {
	b.t.Helper()
	conditions := []*network.Conditions{{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}}
	if _, err := chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions}); err != nil {
		b.t.Fatal(err)
	}
}

// localStorage are the options of a session that is kept in local storage.
const localStorage = `{ storage: window.localStorage }`

func (b tab) holderSignsIn() {
	b.t.Helper()
	if got := eval[int](b, `session.signIn("alice", "wonderland").then(({ status }) => status)`); got != http.StatusOK {
		b.t.Fatalf("sign-in: %d", got)
	}
}

// events returns the events that the session has dispatched since the last call.
func (b tab) events() []string {
	b.t.Helper()
	return eval[[]string](b, `events.splice(0)`)
}
