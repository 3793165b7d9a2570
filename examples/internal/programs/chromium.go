package programs

import (
	"context"
	"testing"

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
