package programs

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium starts Chromium with a new profile, and returns the context of its first tab.
// The browser finds the hosts below example.test on this machine, and accepts their
// self-signed certificates. It stops when the test ends. Short tests are skipped.
func Chromium(t T) context.Context {
	t.Helper()
	if testing.Testing() && testing.Short() {
		t.Skip("short tests do not start a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Installed(t, "chromium", "chromium-browser", "google-chrome")),
		chromedp.NoSandbox, // as root and in containers there is no sandbox; the browser visits only the test's own pages
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-crash-reporter", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP *.example.test 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...) // t.Context() is canceled before the cleanup
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// Until runs a script in the tab of ctx, which may be empty, and waits until condition is
// true. Both can use the function $, which finds an element by its id.
func Until(t *testing.T, ctx context.Context, script, condition string) {
	t.Helper()
	const patience = 20 * time.Second
	in := func(text string) string { return "(($) => { " + text + " })(id => document.getElementById(id))" }
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](in(script)+"; undefined")); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](in("return "+condition)))
		if err == nil && got {
			return
		}
		if time.Now().After(deadline) {
			text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("not true after %v: %s, %v\n%s", patience, condition, err, text)
		}
	}
}
