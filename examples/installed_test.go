package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Some tests need other programs. If a program is not installed, the test is
// skipped, or fails if JWTGATE_REQUIRE is set.

// installed returns the path of the first of these programs that is installed.
func installed(t *testing.T, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	missing(t, strings.Join(programs, ", "))
	return ""
}

// peer returns a command that runs a script of internal/peers on Node, with the
// packages there. The command is not yet started.
func peer(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	node := installed(t, "node")
	if _, err := os.Stat(filepath.Join("internal", "peers", "node_modules")); err != nil {
		missing(t, "the packages of examples/internal/peers (npm ci)")
	}
	cmd := exec.Command(node, append([]string{script}, args...)...)
	cmd.Dir = filepath.Join("internal", "peers")
	return cmd
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("JWTGATE_REQUIRE") != "" {
		t.Fatalf("not installed: %s", what)
	}
	t.Skipf("not installed: %s", what)
}
