package outside

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/ci/internal/modproxy"
	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

// TestOutside builds programs with released modules. The programs are the Go blocks
// of the README, those in testdata, and for each module that none of them imports
// one that only imports its packages. The first block and the programs in testdata,
// which are the same application with another framework, also run. Each command of a
// module must be installable with go install.
func TestOutside(t *testing.T) {
	t.Parallel()
	released, env := release(t)
	readme := read(t, root, "README.md")

	imported := make(map[string]bool)
	try := func(name, source string, serves bool) {
		imports := importedModules(source, released)
		for _, module := range imports {
			imported[module] = true
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !serves {
				build(t, env, readme, source, imports)
				return
			}
			address := freeAddress(t)
			serve(t, build(t, env, readme, strings.ReplaceAll(source, "127.0.0.1:8080", address), imports), address)
		})
	}
	for i, block := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(readme, -1) {
		try(fmt.Sprintf("README block %d", i+1), block[1], i == 0)
	}
	sources, err := filepath.Glob("testdata/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		try(strings.TrimSuffix(filepath.Base(source), ".go"), read(t, ".", source), true)
	}
	for _, module := range released {
		libraries, commands := packages(t, module)
		if !imported[module.Path] && libraries != nil {
			try(module.Folder, "package main\n\nimport (\n\t_ \""+strings.Join(libraries, "\"\n\t_ \"")+"\"\n)\n\nfunc main() {}\n", false)
		}
		for _, command := range commands {
			t.Run(command, func(t *testing.T) {
				t.Parallel()
				run(t, t.TempDir(), append(env, "GOBIN="+t.TempDir()), "go", "install", command+"@latest")
			})
		}
	}
}

// release makes a release in a copy of the repository and packs its modules. It
// returns the modules and environment variables with which the go command uses them.
func release(t *testing.T) (released []workspace.Module, env []string) {
	t.Helper()
	clone := copyRepository(t)
	version := nextVersion(t)
	run(t, clone, nil, "bash", ".ci/release", "--skip-gate", "--tag", version)
	released, err := workspace.Released(clone)
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	for _, module := range released {
		if err := modproxy.Add(proxy, clone, module, version); err != nil {
			t.Fatal(err)
		}
	}
	cache := strings.TrimSpace(run(t, root, nil, "go", "env", "GOMODCACHE"))
	upstream := strings.TrimSpace(run(t, root, nil, "go", "env", "GOPROXY"))
	return released, []string{
		// The download folder of a module cache has the layout of a proxy.
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download") + "," + upstream,
		// The release must not stay in the module cache of this machine. With
		// -trimpath, builds nevertheless share their results.
		"GOMODCACHE=" + t.TempDir(),
		"GOFLAGS=-modcacherw -trimpath",
		// The checksum database does not know this release. The go.sum files of
		// the repository have the checksums of all other modules.
		"GOSUMDB=off",
		"GOPRIVATE=", "GONOPROXY=",
	}
}

// importedModules returns the paths of the modules that have the packages that a
// program imports.
func importedModules(source string, released []workspace.Module) []string {
	var paths []string
	for _, match := range regexp.MustCompile(`(?m)^\s+(?:\w+ )?"(.*)"$`).FindAllStringSubmatch(source, -1) {
		in := "" // the longest path that fits, because modules are in folders of others
		for _, module := range released {
			if strings.HasPrefix(match[1]+"/", module.Path+"/") && len(module.Path) > len(in) {
				in = module.Path
			}
		}
		if in != "" && !slices.Contains(paths, in) {
			paths = append(paths, in)
		}
	}
	return paths
}

// gets returns the paths of the modules that the author of a program gets by name. An
// application has an adapter, which brings core, and may add a store.
func gets(imports []string) []string {
	const core = workspace.Prefix + "core"
	var adapters, additions []string
	for _, module := range imports {
		switch {
		case module == core:
		case strings.HasPrefix(module, core+"/"):
			additions = append(additions, module)
		default:
			adapters = append(adapters, module)
		}
	}
	if adapters == nil {
		adapters = []string{workspace.Prefix + "nethttp"}
	}
	return append(adapters, additions...)
}

// packages returns the import paths of the packages of a module that are not
// internal, libraries and commands apart.
func packages(t *testing.T, module workspace.Module) (libraries, commands []string) {
	t.Helper()
	list := run(t, filepath.Join(root, module.Folder), nil, "go", "list", "-f", "{{.Name}} {{.ImportPath}}", "./...")
	for line := range strings.Lines(list) {
		name, importPath, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case strings.Contains(importPath+"/", "/internal/"):
		case name == "main":
			commands = append(commands, importPath)
		default:
			libraries = append(libraries, importPath)
		}
	}
	return libraries, commands
}

// build builds a program in a new folder by the commands that the README shows, and
// returns the file.
func build(t *testing.T, env []string, readme, source string, imports []string) string {
	t.Helper()
	folder := t.TempDir()
	write(t, folder, "main.go", source)
	shown := func(pattern string) {
		command := regexp.MustCompile(`(?m)^    (` + pattern + `)(?: +#.*)?$`).FindStringSubmatch(readme)
		if command == nil {
			t.Fatalf("the README has no line that matches %q: show the command with which applications get the module", pattern)
		}
		args := strings.Fields(command[1])
		run(t, folder, env, args[0], args[1:]...)
	}
	shown("go mod init .*")
	for _, module := range gets(imports) {
		shown(regexp.QuoteMeta("go get " + module + "@latest"))
	}
	program := filepath.Join(folder, "program")
	run(t, folder, env, "go", "build", "-o", program, ".")
	return program
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// serve runs a program that listens on address, and requests its guarded route.
func serve(t *testing.T, program, address string) {
	t.Helper()
	const secret = "a secret of at least thirty-two bytes"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), "JWT_SECRET="+secret)
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = command.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	}()

	url := "http://" + address + "/api/hello"
	if status, _ := get(t, url, ""); status != http.StatusUnauthorized {
		t.Errorf("without a token: got status %d; want %d", status, http.StatusUnauthorized)
	}
	if status, body := get(t, url, token([]byte(secret))); status != http.StatusOK || body != "hello alice" {
		t.Errorf("with a token: got status %d, %q; want %d, %q", status, body, http.StatusOK, "hello alice")
	}
}

// get requests url, again until the server listens, and returns the status and the
// body of the response.
func get(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, strings.TrimSpace(string(text))
	}
}

// token returns an access token that the programs accept.
func token(secret []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"https://auth.example.com","aud":"https://api.example.com","sub":"alice","exp":%d}`, time.Now().Add(time.Minute).Unix())
	signed := encode([]byte(`{"alg":"HS256","typ":"at+jwt"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
