package examples

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// moduleFolder has jwtgate.js.
var moduleFolder = filepath.Join("..", "core", "browser")

// TestModule runs the module's own tests on Node.
func TestModule(t *testing.T) {
	node := exec.Command(installed(t, "node"), "--test", "jwtgate.test.js")
	node.Dir = moduleFolder
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestModuleTypes compiles a file that uses the module's types.
func TestModuleTypes(t *testing.T) {
	t.Parallel()
	compiler := peer(t, filepath.Join("node_modules", "typescript", "bin", "tsc"), "--noEmit", "--strict", "--target", "ES2022",
		"--lib", "ES2022,DOM", "--module", "ESNext", "--moduleResolution", "bundler", filepath.Join("..", "..", moduleFolder, "jwtgate.test.ts"))
	if out, err := compiler.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestModuleSize checks that the module has at most 4 KiB when it is compressed.
// This includes its comments, because applications serve the file unchanged.
func TestModuleSize(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(moduleFolder, "jwtgate.js"))
	if err != nil {
		t.Fatal(err)
	}
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(module); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := compressed.Len(); got > 4<<10 {
		t.Errorf("the module has %d bytes; want at most %d", got, 4<<10)
	}
}

// TestModulePackage packs the module's folder with npm, installs the package in an
// application, and imports it by its name.
func TestModulePackage(t *testing.T) {
	t.Parallel()
	npm, node := installed(t, "npm"), installed(t, "node")
	from, err := filepath.Abs(moduleFolder)
	if err != nil {
		t.Fatal(err)
	}
	app := t.TempDir()
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = app
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	if err := os.WriteFile(filepath.Join(app, "package.json"), []byte(`{ "private": true }`), 0o600); err != nil {
		t.Fatal(err)
	}
	run(npm, "install", "--install-links", "--offline", "--no-audit", "--no-fund", "--silent", from)
	files, err := os.ReadDir(filepath.Join(app, "node_modules", "jwtgate"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	if want := []string{"jwtgate.d.ts", "jwtgate.js", "package.json"}; !slices.Equal(names, want) {
		t.Errorf("the package has %q; want %q", names, want)
	}
	script := `import { Session, SignInError } from "jwtgate"; console.log(new Session().signedIn, SignInError.name)`
	if got := run(node, "--input-type=module", "--eval", script); got != "false SignInError\n" {
		t.Errorf("got %q; want that a new session is not signed in", got)
	}
}
