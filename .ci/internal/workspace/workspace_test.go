package workspace_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

const root = "../../.."

func TestReleased(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		folder string
		want   bool
	}{
		{"core", true},
		{"core/redisstore", true},
		{"nethttp", true},
		{"examplesjwt", true},
		{"examples", false},
		{"examples/bench", false},
	} {
		if got := (workspace.Module{Folder: test.folder}).Released(); got != test.want {
			t.Errorf("%s: got %v; want %v", test.folder, got, test.want)
		}
	}
}

// TestPaths checks that the path of every module ends with its folder, because the
// module proxy looks for the module and its tags there.
func TestPaths(t *testing.T) {
	t.Parallel()
	for _, module := range modules(t) {
		if want := workspace.Prefix + module.Folder; module.Path != want {
			t.Errorf("%s/go.mod: got module %s; want %s", module.Folder, module.Path, want)
		}
	}
}

// TestDependabot checks that dependencies of every module are updated.
func TestDependabot(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(root + "/.github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, match := range regexp.MustCompile(`(?m)^      - /(.*)$`).FindAllSubmatch(config, -1) {
		got = append(got, string(match[1]))
	}
	want := []string{".ci"}
	for _, module := range modules(t) {
		want = append(want, module.Folder)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got the folders %q in .github/dependabot.yml; want %q", got, want)
	}
}

func modules(t *testing.T) []workspace.Module {
	t.Helper()
	modules, err := workspace.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	return modules
}
