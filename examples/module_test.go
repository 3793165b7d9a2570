package examples

import (
	"bytes"
	"compress/gzip"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jwtgate/jwtgate/examples/internal/content"
)

// TestModule runs the module's own tests on Node.
func TestModule(t *testing.T) {
	node := exec.Command(installed(t, "node"), "--test", "jwtgate.test.js")
	node.Dir = filepath.Join("internal", "web")
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestModuleTypes compiles a file that uses the module's types.
func TestModuleTypes(t *testing.T) {
	t.Parallel()
	compiler := peer(t, filepath.Join("node_modules", "typescript", "bin", "tsc"), "--noEmit", "--strict", "--target", "ES2022",
		"--lib", "ES2022,DOM", "--module", "ESNext", "--moduleResolution", "bundler", filepath.Join("..", "web", "jwtgate.test.ts"))
	if out, err := compiler.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestModuleSize checks that the module has at most 4 KiB when it is compressed.
// This includes its comments, because applications serve the file unchanged.
func TestModuleSize(t *testing.T) {
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content.Module.Text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := compressed.Len(); got > 4<<10 {
		t.Errorf("the module has %d bytes; want at most %d", got, 4<<10)
	}
}
