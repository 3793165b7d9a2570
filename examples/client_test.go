package examples

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestClient runs the client for nine seconds against each server. Access tokens
// live for three to four seconds, because exp is in whole seconds.
func TestClient(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=4s") {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			cmd := program("client")
			cmd.Args = append(cmd.Args, "-url", p.url, "-duration", "9s", "-goroutines", "30")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := regexp.MustCompile(`Done: +(\d+) s +(\d+) requests +(\d+) failures +(\d+) refreshes`).FindStringSubmatch(string(out))
			if got == nil {
				t.Fatalf("no last line:\n%s", out)
			}
			if lines := strings.Count(string(out), "\n"); lines < 4 {
				t.Errorf("%d lines, want one for each second:\n%s", lines, out)
			}
			if number(t, got[2]) < 100 || got[3] != "0" {
				t.Errorf("%s requests, %s failures, want many and none", got[2], got[3])
			}
			if refreshes := number(t, got[4]); refreshes < 2 || refreshes > 4 {
				t.Errorf("%d refreshes in %s s, want about one for each token", refreshes, got[1])
			}
		})
	}
}

// TestClientFails checks that the client prints the reason of a failure and exits
// with status 1.
func TestClientFails(t *testing.T) {
	p := start(t, "nethttp")
	for _, test := range []struct {
		args []string
		env  []string
		want string
	}{
		{[]string{"-url", "http://example.com"}, nil, "use https"},
		{[]string{"-url", p.url, "-password", "builder"}, nil, "invalid_credentials"},
		{[]string{"-url", "http://127.0.0.1:1"}, nil, "connection refused"},
		{[]string{"-url", p.url}, []string{"PASSWORD=builder"}, "invalid_credentials"},
	} {
		cmd := program("client", test.env...)
		cmd.Args = append(cmd.Args, test.args...)
		out, err := cmd.CombinedOutput()
		var status *exec.ExitError
		if !errors.As(err, &status) || status.ExitCode() != 1 || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v, want status 1 and %q\n%s", fmt.Sprint(test.args), err, test.want, out)
		}
	}
}

func number(t *testing.T, text string) int { return must[int](t)(strconv.Atoi(text)) }
