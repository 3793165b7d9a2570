package examples

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pages are the documents whose code the tests here compile and run.
var pages = []string{"../README.md", "guides/*.md"}

// A block is code in a document.
type block struct {
	page   string
	number int
	kind   string // go or console
	text   string
}

func (b block) String() string { return fmt.Sprintf("%s, block %d", filepath.Base(b.page), b.number) }

// blocks returns the programs and the console sessions in the documents.
func blocks(t *testing.T) []block {
	t.Helper()
	var all []block
	for _, pattern := range pages {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got files %q, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, match := range regexp.MustCompile("(?ms)^```(go|console)\n(.*?)^```$").FindAllSubmatch(text, -1) {
				all = append(all, block{file, i + 1, string(match[1]), string(match[2])})
			}
		}
	}
	return all
}

// TestREADME compiles every Go block as a program.
func TestREADME(t *testing.T) {
	for _, b := range blocks(t) {
		if b.kind == "go" {
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				b.build(t, b.text)
			})
		}
	}
}

// TestREADMECommands runs the commands of every console session against the program
// before it, and compares what they print. In a document, … stands for any text, and on
// a line alone for any lines.
func TestREADMECommands(t *testing.T) {
	var program block
	for _, b := range blocks(t) {
		if b.kind == "go" {
			program = b
			continue
		}
		if program.page != b.page {
			t.Fatalf("%v: there is no program before it", b)
		}
		t.Run(b.String(), func(t *testing.T) {
			const address = "127.0.0.1:8080"
			own := freeAddress(t)
			server := exec.Command(program.build(t, strings.ReplaceAll(program.text, address, own)))
			server.Env = append(os.Environ(), "JWT_SECRET="+secret)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
			awaitAddress(t, own)
			compareSession(t, strings.ReplaceAll(b.text, address, own))
		})
	}
}

// compareSession runs the commands of a console session in one shell.
func compareSession(t *testing.T, session string) {
	t.Helper()
	const end = "\x00\n" // printed after each command
	var script strings.Builder
	var commands, want []string
	for line := range strings.Lines(session) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			want[len(want)-1] += line
			continue
		}
		commands, want = append(commands, command), append(want, "")
		script.WriteString(command + "printf '\\0\\n'\n")
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	shell.Env = append(os.Environ(), "JWT_SECRET="+secret, "PATH="+tools(t)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	output, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for i, got := range strings.Split(strings.TrimSuffix(string(output), end), end) {
		got = strings.TrimRight(strings.ReplaceAll(got, "\r", ""), "\n")
		if !pattern(want[i]).MatchString(got) {
			t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", commands[i], got, want[i])
		}
	}
}

// pattern returns what output must look like.
func pattern(output string) *regexp.Regexp {
	text := regexp.QuoteMeta(strings.TrimRight(output, "\n"))
	text = regexp.MustCompile(`(?m)^…(\n|$)`).ReplaceAllString(text, "(?s:.*)")
	return regexp.MustCompile(`^` + strings.ReplaceAll(text, "…", ".*") + `$`)
}

// tools builds the command jwtgate, and returns its folder.
func tools(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder+string(filepath.Separator), "github.com/jwtgate/jwtgate/core/cmd/jwtgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// awaitAddress waits until a server listens at address.
func awaitAddress(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// build builds source as a program, and returns the file.
func (b block) build(t *testing.T, source string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	// An overlay makes the file part of this module, which requires all modules that
	// the block imports, without writing to its folder.
	overlay, folder := filepath.Join(dir, "overlay.json"), filepath.Join(here, "readme")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(folder, "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, folder)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v does not compile: %v\n%s", b, err, out)
	}
	return program
}
