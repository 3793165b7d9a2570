package examples

import (
	"testing"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// startNginx starts nginx with a server that has these locations, and with directives
// beside the server. It stops when the test ends.
func startNginx(t *testing.T, directives, locations string) *process {
	t.Helper()
	front := &process{name: "nginx", url: programs.Nginx(t, directives, locations)}
	front.waitUntilReady(t)
	return front
}
