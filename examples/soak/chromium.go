package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// newChromium returns a real browser that is signed in, and has the page open in three
// tabs.
func (s *soak) newChromium(t programs.T) *client {
	t.Helper()
	c := &client{name: "Chromium"}
	first := programs.Chromium(t)
	tabs := []context.Context{first}
	for range 2 {
		tab, cancel := chromedp.NewContext(first)
		t.Cleanup(cancel)
		tabs = append(tabs, tab)
	}
	for _, tab := range tabs {
		if err := chromedp.Do(tab, chromedp.Navigate(s.sites.nginx+"/")); err != nil {
			t.Fatal(err)
		}
	}
	const login = `fetch("/login", { method: "POST", body: new URLSearchParams({ username: "chromium", password: "any" }) }).then(r => r.status)`
	if status, err := evaluate[int](first, login); status != 200 || err != nil {
		t.Fatalf("login in Chromium: got %d, error %v", status, err)
	}
	c.act = func(ctx context.Context) {
		for _, tab := range tabs {
			if _, err := evaluate[bool](tab, `run(), true`); err != nil {
				s.mistake(c, "%v", err)
			}
		}
		<-ctx.Done()
		for i, tab := range tabs {
			answers, err := evaluate[map[string]int](tab, `stopped = true, answers`)
			if err != nil {
				s.mistake(c, "tab %d: %v", i, err)
			}
			s.count(c, fmt.Sprintf("tab %d", i), answers)
		}
	}
	return c
}

// count counts the answers that a page received.
func (s *soak) count(c *client, tab string, answers map[string]int) {
	files := 0
	for name, n := range answers {
		path, result, _ := strings.Cut(name, " ")
		status := 0
		_, _ = fmt.Sscan(result, &status)
		if path == "/files/a.txt" {
			c.requests += n
			if status == 200 {
				files += n
			} else if status != 401 { // until the next request of a page
				s.mistake(c, "%s: %s, %d times", tab, name, n)
			}
			continue
		}
		for range n {
			s.answered(c, tab+": "+path, status)
		}
	}
	if files == 0 {
		s.mistake(c, "%s: got no file", tab)
	}
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](tab context.Context, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}
