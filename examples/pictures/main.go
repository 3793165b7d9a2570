// Command pictures makes the pictures in the documents from the running program: of the
// demo page, and of the life of a session. It needs Chromium. From the repository root:
//
//	go run ./examples/pictures
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	server = "github.com/jwtgate/jwtgate/examples/nethttp"
	folder = "examples/pictures"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := drawFlow(ctx); err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	url, stop, err := serve(ctx, "ACCESS_TTL=20s", "DEBUG=true")
	if err != nil {
		return err
	}
	defer stop()
	browser, err := find("chromium", "chromium-browser", "google-chrome")
	if err != nil {
		return err
	}
	// As root and in containers there is no sandbox. The browser visits only the server.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		return err
	}
	for _, p := range []picture{
		{"demo", 1100, 980, "light"},
		{"demo-dark", 1100, 980, "dark"},
		{"demo-phone", 390, 844, "light"},
	} {
		if err := p.make(ctx, url); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// find returns the path of the first of these programs that is installed.
func find(programs ...string) (string, error) {
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium: install it")
}

// serve builds and starts a server with settings. It returns its URL and a function that
// stops it.
func serve(ctx context.Context, settings ...string) (url string, stop func(), err error) {
	temporary, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return "", nil, err
	}
	program := filepath.Join(temporary, "server")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, server) //nolint:gosec // the path is a new temporary folder
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", nil, fmt.Errorf("build the server: %w", err)
	}
	command := exec.CommandContext(ctx, program) //nolint:gosec // the program built above
	command.Env = append(append(os.Environ(), "ADDR=127.0.0.1:0"), settings...)
	output, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = os.RemoveAll(temporary)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if url := address.FindString(lines.Text()); url != "" {
			go func() { // the server must not wait for a reader
				for lines.Scan() {
				}
			}()
			return url, stop, nil
		}
	}
	stop()
	return "", nil, errors.New("the server printed no address")
}

// A picture shows the page after some calls, in a window of the given size.
type picture struct {
	name          string
	width, height int64
	scheme        string // light or dark
}

// demo uses the page like a visitor: it calls the API, lets the access token expire, calls
// again, and steals a session.
const demo = `(async () => {
	const click = async (id, wait = () => true) => {
		document.querySelector(id).click();
		while (!wait()) await new Promise(resolve => setTimeout(resolve, 50));
	};
	const lines = number => () => document.querySelectorAll("#log li").length >= number;
	await click("[data-call='GET /me']", lines(1));
	await click("[data-call='GET /admin']", lines(2));
	await click("#expire", () => document.querySelector("#signed-in").classList.contains("over"));
	await click("[data-call='POST /notes']", () => document.querySelector("#log mark"));
	await click("[data-call='GET /notes']", lines(4));
	await click("#steal", () => document.querySelectorAll("#story li").length >= 7);
	window.scrollTo(0, 0);
	document.activeElement.blur();
})()`

// make takes the picture.
func (p picture) make(ctx context.Context, url string) error {
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(p.width, p.height, chromedp.EmulateScale(1.5))); err != nil {
		return err
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: p.scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		return err
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate(url),
		chromedp.Click(chromedp.CSS("#login button"), chromedp.NodeVisible),
		chromedp.WaitVisible(chromedp.CSS("#devices li")),
	)
	if err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](demo, chromedp.EvalAwaitPromise)); err != nil {
		return err
	}
	// A picture of more than the window would not show the frame of the other site.
	height, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))
	if err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(p.width, height, chromedp.EmulateScale(1.5))); err != nil {
		return err
	}
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, p.name+".png"), image, 0o644) //nolint:gosec // a picture that everybody may see
}
