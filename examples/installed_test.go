package examples

import (
	"os/exec"
	"testing"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// installed returns the path of the first of these programs that is installed.
func installed(t *testing.T, names ...string) string {
	t.Helper()
	return programs.Installed(t, names...)
}

// peer returns a command that runs a script of internal/peers on Node.
func peer(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	return programs.Peer(t, script, args...)
}
