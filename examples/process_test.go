package examples

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// names are the names of the servers, which are also the names of their folders.
var names = []string{"nethttp", "echo", "echo5", "gin", "fiber", "fiber3"}

// binaries is the folder with the programs. TestMain builds them once.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "examples")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		build := exec.Command("go", "build", "-o", dir+string(filepath.Separator))
		for _, name := range append(slices.Clone(names), "client") {
			build.Args = append(build.Args, "./"+name)
		}
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Printf("%v\n%s", err, out)
			return 1
		}
		binaries = dir
		return m.Run()
	}())
}

// patience is how long a test waits for something that should happen quickly.
const patience = 20 * time.Second

// program returns a command for the server called name, with only env and a free
// port in its environment. The command is not yet started.
func program(name string, env ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(binaries, name))
	cmd.Env = append([]string{"ADDR=127.0.0.1:0"}, env...)
	return cmd
}

// A process is a running server.
type process struct {
	name     string
	url      string // without a slash at the end
	intro    string // the output up to the empty line
	log      output // the output after the empty line
	cmd      *exec.Cmd
	ended    chan error // holds the result of Wait after the process has ended
	signaled bool       // signal was called
}

// An output collects the text that a program prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts the server called name. When the test ends, it asks the server to
// stop, and the test fails if the server does not exit with status 0.
func start(t *testing.T, name string, env ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: program(name, env...), ended: make(chan error, 1)}
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	intro := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(stdout)
		var text strings.Builder
		for line, err := "", error(nil); line != "\n" && err == nil; {
			line, err = lines.ReadString('\n')
			text.WriteString(line)
		}
		intro <- text.String()
		_, _ = io.Copy(&p.log, lines)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, stderr.String())
		}
	})
	select {
	case p.intro = <-intro:
	case <-time.After(patience):
		t.Fatalf("%s printed no address", name)
	}
	_, rest, _ := strings.Cut(p.intro, "Serving on ")
	p.url, _, _ = strings.Cut(rest, "\n")
	p.waitUntilReady(t)
	return p
}

// startAll starts all servers with the same environment.
func startAll(t *testing.T, env ...string) []*process {
	t.Helper()
	var all []*process
	for _, name := range names {
		all = append(all, start(t, name, env...))
	}
	return all
}

func (p *process) waitUntilReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		res, err := client.Get(p.url + "/healthz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready: %v", p.name, err)
		}
	}
}

// terminate ends the process as a supervisor does: it goes on for a while, but is not
// ready.
func (p *process) terminate() { p.signal(syscall.SIGTERM) }

// signal sends a signal to the process, but only once: a second one would end the process
// without a graceful shutdown.
func (p *process) signal(s os.Signal) {
	if !p.signaled {
		p.signaled = true
		_ = p.cmd.Process.Signal(s) // the process may have ended already
	}
}

// stop ends the process, unless terminate was called, as a terminal does, and waits for
// its end. If the process does not end, stop kills it.
func (p *process) stop() error {
	client.CloseIdleConnections() // Fiber waits for unused connections
	p.signal(os.Interrupt)
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(patience):
		return errors.Join(errors.New("the server did not stop"), p.cmd.Process.Kill())
	}
}

// client follows no redirects and does not decompress answers.
var client = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// An answer is an HTTP response of a server.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request with header fields such as "Accept: text/html".
func (p *process) send(t *testing.T, method, path, body string, fields ...string) answer {
	t.Helper()
	got, err := p.try(method, path, body, fields...)
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return got
}

// try is like send, but returns an error. Unlike send, it may be called from any
// goroutine.
func (p *process) try(method, path, body string, fields ...string) (answer, error) {
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(got)}, err
}

// text returns all of a as text, except for the Date field.
func (a answer) text() string {
	lines := []string{fmt.Sprint(a.status)}
	for name, values := range a.header {
		if name != "Date" {
			lines = append(lines, fmt.Sprintf("%s: %q", name, values))
		}
	}
	slices.Sort(lines)
	return strings.Join(append(lines, "", a.body), "\n")
}

// content returns a as text without the differences between frameworks: a line
// break after JSON, charset=utf-8, and Content-Type in a 304.
func (a answer) content() string {
	own := answer{a.status, http.Header{}, strings.TrimSuffix(a.body, "\n")}
	for _, name := range []string{"Cache-Control", "Vary", "Etag", "Set-Cookie", "Www-Authenticate"} {
		if values, ok := a.header[name]; ok {
			own.header[name] = values
		}
	}
	if kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); a.status != http.StatusNotModified {
		own.header.Set("Content-Type", kind)
	}
	return own.text()
}
