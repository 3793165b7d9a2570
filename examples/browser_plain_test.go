package examples

import (
	"fmt"
	"strings"
	"testing"
)

// TestPlainHTTPBrowser signs in at a plain-HTTP host other than localhost. The browser does
// not store Secure cookies there: the server must say so, and INSECURE_HTTP must help.
func TestPlainHTTPBrowser(t *testing.T) {
	chromium := startBrowser(t)
	const warning = "a browser signed in over plain HTTP"
	for _, test := range []struct {
		name, env string
		me        int // the status of /me after the login
		warnings  int
	}{
		{"Secure cookies", "INSECURE_HTTP=false", 401, 1},
		{"INSECURE_HTTP", "INSECURE_HTTP=true", 200, 0},
	} {
		p := start(t, "nethttp", test.env)
		p.url = strings.Replace(p.url, "127.0.0.1", "dev.example.test", 1)
		page := chromium.device(t)
		page.open(p.url)
		page.until("the form is there", state+` === "signed-out"`)
		for range 2 {
			page.until(test.name, fmt.Sprintf("window.me === %d", test.me),
				`window.me = 0`,
				`const body = new URLSearchParams({ username: "alice", password: "wonderland" })`,
				`fetch("/login", { method: "POST", body }).then(() => fetch("/me")).then(({ status }) => window.me = status)`)
		}
		if got := strings.Count(p.log.String(), warning); got != test.warnings {
			t.Errorf("%s: got %d warnings, want %d\n%s", test.name, got, test.warnings, p.log.String())
		}
		if got := strings.Contains(p.intro, "InsecureHTTP is set"); got != (test.warnings == 0) {
			t.Errorf("%s: a warning at start: %v\n%s", test.name, got, p.intro)
		}
	}
}
