// Package programs starts the programs that tests need beside Go, such as a browser.
// If a program is not installed, the test is skipped, or fails if JWTGATE_REQUIRE is
// set.
package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A T is a [testing.T], or what a command has in place of it.
type T interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Skip(args ...any)
	Skipf(format string, args ...any)
}

// Installed returns the path of the first of these programs that is installed.
func Installed(t T, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	Missing(t, strings.Join(programs, ", "))
	return ""
}

// Peer returns a command that runs a script of internal/peers on Node, with the
// packages there. The command is not yet started.
func Peer(t T, script string, args ...string) *exec.Cmd {
	t.Helper()
	node := Installed(t, "node")
	peers := filepath.Join("internal", "peers")
	for range 4 { // tests run in the folder of their package
		if _, err := os.Stat(peers); err == nil {
			break
		}
		peers = filepath.Join("..", peers)
	}
	if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
		Missing(t, "the packages of examples/internal/peers (npm ci)")
	}
	cmd := exec.Command(node, append([]string{script}, args...)...) //nolint:gosec // scripts of this repository
	cmd.Dir = peers
	return cmd
}

// Missing ends a test that needs what is not installed.
func Missing(t T, what string) {
	t.Helper()
	if os.Getenv("JWTGATE_REQUIRE") != "" {
		t.Fatalf("not installed: %s", what)
	}
	t.Skipf("not installed: %s", what)
}
