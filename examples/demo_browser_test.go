package examples

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// TestDemoPage checks what the demo page shows beside the API: an access token that
// expires by a click, a stolen refresh token, and requests of another origin.
func TestDemoPage(t *testing.T) {
	b := startBrowser(t)
	p := start(t, "nethttp", "JWT_KEY="+secret, "REUSE_WINDOW=1s", "DEBUG=true")
	b.signIn(p)
	b.expiresByClick()
	b.findsThief()
	b.keepsStrangersOut()
	b.fitsOnPhone(p)
	b.speaks()
}

// expiresByClick checks that the call before which the token was renewed is marked.
func (b tab) expiresByClick() {
	b.t.Helper()
	b.until("a call is listed", `$("log").children.length === 1`, `document.querySelector("[data-call='GET /me']").click()`)
	b.until("the token has expired", `$("signed-in").classList.contains("over")`, `$("expire").click()`)
	b.until("the next call is marked", `$("log").firstChild.innerText.includes("renewed")`, `document.querySelector("[data-call='GET /admin']").click()`)
	if got := eval[int](b, `document.querySelectorAll("#log mark").length`); got != 1 {
		b.t.Errorf("got %d calls marked; want 1", got)
	}
	if got := eval[bool](b, `$("signed-in").classList.contains("over")`); got {
		b.t.Error("the new token counts as expired")
	}
}

// findsThief checks that the story of the stolen refresh token ends well, and that this
// session goes on.
func (b tab) findsThief() {
	b.t.Helper()
	b.until("the story ends", `$("story").children.length === 7`, `$("steal").click()`)
	story := eval[string](b, `$("story").innerText`)
	for _, want := range []string{"refresh_reused", "401 token_revoked"} {
		if !strings.Contains(story, want) {
			b.t.Errorf("no %q in the story:\n%s", want, story)
		}
	}
	if got := eval[int](b, `call("GET", "/me").then(answer => answer.status)`); got != 200 {
		b.t.Errorf("after the theft of another session: got status %d; want 200", got)
	}
}

// keepsStrangersOut clicks the buttons in the frame of another origin, which send a form to
// the server, and checks that nothing has changed.
func (b tab) keepsStrangersOut() {
	b.t.Helper()
	const state = `Promise.all(["/notes", "/me"].map(path => call("GET", path).then(answer => answer.json())))
		.then(([notes, me]) => notes.length + " notes of " + me.sub + " " + me.sid)`
	before := eval[string](b, state)
	for _, button := range []struct {
		name string
		rows []float64 // where it may be in the frame: the first button that is hit is the one
	}{
		{"Write a note as you", []float64{60, 65, 70, 75, 80}},
		{"Sign you in as bob", []float64{120, 115, 110, 105, 100, 95, 90, 85}},
	} {
		b.until("the frame has loaded", `$("refused").hidden`, `$("reload").click()`)
		b.do(`document.querySelector("iframe").scrollIntoView({ block: "center" })`)
		place := eval[[]float64](b, `(({ x, y }) => [x, y])(document.querySelector("iframe").getBoundingClientRect())`)
		// Scripts of the page cannot reach into the frame, but the mouse can.
		answered := false
		for _, y := range button.rows {
			if err := chromedp.Do(b.ctx, chromedp.MouseClickXY(place[0]+40, place[1]+y)); err != nil {
				b.t.Fatal(err)
			}
			if answered = eval[bool](b, `new Promise(resolve => setTimeout(() => resolve(!$("refused").hidden), 500))`); answered {
				break
			}
		}
		if !answered {
			b.t.Errorf("%s: the page explains no answer", button.name)
		}
	}
	if got := eval[string](b, state); got != before {
		b.t.Errorf("after requests of another origin: got %s; want %s", got, before)
	}
}

// fitsOnPhone checks that nothing is wider than the window of a phone.
func (b tab) fitsOnPhone(p *process) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(360, 740)); err != nil {
		b.t.Fatal(err)
	}
	b.open(p.url)
	b.until("signed in", state+` === "signed-in" && $("devices").children.length > 0`)
	if got := eval[int](b, `document.documentElement.scrollWidth`); got > 360 {
		b.t.Errorf("the page is %d pixels wide; want at most 360", got)
	}
}

// speaks checks that a screen reader has a name for everything that can be used.
func (b tab) speaks() {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	used := 0
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		switch role {
		case "button", "link", "textbox", "switch", "checkbox", "progressbar", "Iframe":
			used++
			if node.Name == nil || strings.Trim(string(node.Name.Value), `"`) == "" {
				b.t.Errorf("a %s has no name", role)
			}
		}
	}
	if used < 12 {
		b.t.Errorf("got %d elements that can be used; want at least 12", used)
	}
}
