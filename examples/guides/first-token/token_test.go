package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// A shell runs commands, with the command jwtgate in its path, and JWT_KEY set to a key
// that this command has made.
type shell struct {
	t    *testing.T
	bash string
	env  []string
}

// start builds the command, makes a key, and serves the API with it.
func start(t *testing.T) (sh *shell, url string) {
	t.Helper()
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "jwtgate"), "github.com/jwtgate/jwtgate/core/cmd/jwtgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	programs.Installed(t, "curl")
	sh = &shell{t, programs.Installed(t, "bash"), append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))}
	key := strings.TrimSpace(sh.run("jwtgate key -alg HS256"))
	sh.env = append(sh.env, "JWT_KEY="+key)
	auth, err := jwtgate.New(jwtgate.Config{Issuer: "https://auth.example.com", Audience: "https://api.example.com", Keys: keys.HS256([]byte(key))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := httptest.NewServer(routes(auth))
	t.Cleanup(server.Close)
	return sh, server.URL
}

// run runs lines and returns their output.
func (sh *shell) run(lines string) string {
	sh.t.Helper()
	cmd := exec.CommandContext(sh.t.Context(), sh.bash, "-c", lines)
	cmd.Env = sh.env
	out, err := cmd.Output()
	if err != nil {
		sh.t.Fatalf("%s: %v\n%s", lines, err, out)
	}
	return string(out)
}

// TestREADME runs the lines of the README, except for the three that start takes the place
// of. A comment is a part of the output.
func TestREADME(t *testing.T) {
	sh, url := start(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README has no lines for a shell")
	}
	before, checked := "", 0
	for line := range strings.Lines(string(block[1])) {
		if strings.HasPrefix(line, "go ") || strings.HasPrefix(line, "export JWT_KEY=") {
			continue
		}
		command, want, hasOutput := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "localhost:8080", url)), " # ")
		if !hasOutput {
			before += command + "\n"
			continue
		}
		checked++
		if got := sh.run(before + command); !strings.Contains(got, want) {
			t.Errorf("%s\ngot %s\nwant %s", command, got, want)
		}
	}
	if checked == 0 {
		t.Error("no line of the README has an output")
	}
}

// TestMistakes sends a token with each mistake.
func TestMistakes(t *testing.T) {
	sh, url := start(t)
	for _, row := range []struct{ name, flags, want string }{
		{"none", "-iss https://auth.example.com -aud https://api.example.com", "hello alice"},
		{"issuer", "-iss https://auth.example.com/ -aud https://api.example.com", "token_invalid"},
		{"audience", "-iss https://auth.example.com -aud my-client", "token_invalid"},
		{"lifetime", "-iss https://auth.example.com -aud https://api.example.com -ttl 48h", "token_invalid"},
		{"key", "-iss https://auth.example.com -aud https://api.example.com -key <(jwtgate key -alg HS256)", "token_invalid"},
	} {
		got := sh.run(`curl -s -H "Authorization: Bearer $(jwtgate token ` + row.flags + `)" ` + url + `/hello`)
		if !strings.Contains(got, row.want) {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}
