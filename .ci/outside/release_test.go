package outside

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/semver"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

const (
	root      = "../.."
	changeLog = ".github/CHANGELOG.md"
)

// TestLockStep checks that all modules require the same version of each other. A
// module that was added with another version is found here before a release.
func TestLockStep(t *testing.T) {
	t.Parallel()
	want := ""
	for _, module := range modules(t, root) {
		for _, sibling := range module.Siblings() {
			if want == "" {
				want = sibling.Mod.Version
			}
			if sibling.Mod.Version != want {
				t.Errorf("%s/go.mod requires %v, other modules require %s: run `go mod edit -require=%s@%[3]s %[1]s/go.mod`",
					module.Folder, sibling.Mod, want, sibling.Mod.Path)
			}
		}
	}
}

// TestReplace checks that every module can be built inside the repository without
// go.work, and that nothing but a module of this repository is replaced.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, module := range modules(t, root) {
		var replaced []string
		for _, replace := range module.File.Replace {
			if !strings.HasPrefix(replace.Old.Path, workspace.Prefix) {
				t.Errorf("%s/go.mod replaces %s, but applications ignore replace directives: require a version that works", module.Folder, replace.Old.Path)
			}
			replaced = append(replaced, replace.Old.Path)
		}
		for _, sibling := range module.Siblings() {
			if !slices.Contains(replaced, sibling.Mod.Path) {
				t.Errorf("%s/go.mod requires %s but does not replace it by its folder", module.Folder, sibling.Mod.Path)
			}
		}
	}
}

// TestRelease checks what .ci/release does in a copy of the repository.
func TestRelease(t *testing.T) {
	t.Parallel()
	clone := copyRepository(t)
	version := nextVersion(t)
	run(t, clone, nil, "bash", ".ci/release", "--skip-gate", "--tag", version)

	var want []string
	for _, module := range modules(t, clone) {
		if module.Released() {
			want = append(want, module.Folder+"/"+version)
		}
		for _, sibling := range module.Siblings() {
			if sibling.Mod.Version != version {
				t.Errorf("%s/go.mod requires %v; want %s", module.Folder, sibling.Mod, version)
			}
		}
	}
	slices.Sort(want)
	if got := strings.Fields(run(t, clone, nil, "git", "tag", "--points-at", "HEAD")); !slices.Equal(got, want) {
		t.Errorf("got tags %q; want %q", got, want)
	}
	if got := run(t, clone, nil, "git", "status", "--porcelain"); got != "" {
		t.Errorf("got changes %q; want none", got)
	}
	if got, want := read(t, clone, changeLog), "\n## Unreleased\n\n## "+version+" - "; !strings.Contains(got, want) {
		t.Errorf("got %q; want %q in it", got, want)
	}
	if got, want := run(t, clone, nil, "git", "log", "-1", "--format=%s"), "all: release "+version+"\n"; got != want {
		t.Errorf("got subject %q; want %q", got, want)
	}
}

// TestReleaseRefuses checks that .ci/release says what is wrong and changes nothing.
func TestReleaseRefuses(t *testing.T) {
	t.Parallel()
	clone := copyRepository(t)
	run(t, clone, nil, "git", "tag", "core/v0.9.0")
	run(t, clone, nil, "git", "tag", "core/v0.10.0")
	none := func(t *testing.T) { t.Helper() }
	change := func(contents string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			write(t, clone, changeLog, contents)
		}
	}
	commit := func(contents string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			write(t, clone, changeLog, contents)
			run(t, clone, nil, "git", "commit", "--quiet", "--all", "--message", "all: test")
		}
	}
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T)
		version string
		want    string
	}{
		{"no version", none, "", "the version is missing"},
		{"no v", none, "1.2.3", "the version is 1.2.3"},
		{"two numbers", none, "v1.2", "the version is v1.2"},
		{"a leading zero", none, "v1.02.3", "the version is v1.02.3"},
		{"version 2 without another path", none, "v2.0.0", "the version is v2.0.0"},
		{"an unknown flag", none, "--force", "unknown flag --force"},
		{"the last version", none, "v0.10.0", "the last release is v0.10.0: give a newer version"},
		{"an older version", none, "v0.9.1", "the last release is v0.10.0: give a newer version"},
		{"nothing to release", commit("## Unreleased\n\n## v0.10.0\n\n- Old.\n"), "v0.11.0", "has no list below \"## Unreleased\""},
		{"a changed file", change("## Unreleased\n\n- New.\n"), "v0.11.0", "the work tree has changes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.prepare(t)
			before := run(t, clone, nil, "git", "status", "--porcelain") + run(t, clone, nil, "git", "rev-parse", "HEAD")
			command := exec.CommandContext(t.Context(), "bash", ".ci/release", "--skip-gate", "--tag", test.version)
			if test.version == "" {
				command.Args = command.Args[:4]
			}
			command.Dir = clone
			out, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("got %v, %q; want an error with %q", err, out, test.want)
			}
			if after := run(t, clone, nil, "git", "status", "--porcelain") + run(t, clone, nil, "git", "rev-parse", "HEAD"); after != before {
				t.Errorf("got %q; want %q", after, before)
			}
		})
	}
}

// copyRepository returns the folder of a new repository with the files of this one,
// including changes that are not committed, and with something to release.
func copyRepository(t *testing.T) string {
	t.Helper()
	clone := t.TempDir()
	files := run(t, root, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		contents, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) {
			continue // removed, but not yet from the index
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, clone, file, string(contents))
	}
	log := read(t, clone, changeLog)
	write(t, clone, changeLog, strings.Replace(log, "\n## Unreleased\n", "\n## Unreleased\n\n- A test of the release.\n", 1))

	run(t, clone, nil, "git", "init", "--quiet")
	run(t, clone, nil, "git", "config", "user.name", "Test")
	run(t, clone, nil, "git", "config", "user.email", "test@example.com")
	run(t, clone, nil, "git", "config", "commit.gpgsign", "false")
	run(t, clone, nil, "git", "config", "tag.gpgsign", "false")
	run(t, clone, nil, "git", "add", "--all")
	run(t, clone, nil, "git", "commit", "--quiet", "--message", "all: test")
	return clone
}

// nextVersion returns a version that is newer than the one that the modules require
// of each other.
func nextVersion(t *testing.T) string {
	t.Helper()
	for _, module := range modules(t, root) {
		for _, sibling := range module.Siblings() {
			return semver.Major(sibling.Mod.Version) + ".1000.0"
		}
	}
	t.Fatal("no module requires another one")
	return ""
}

func modules(t *testing.T, root string) []workspace.Module {
	t.Helper()
	modules, err := workspace.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

// run runs a command in folder with additional environment variables and returns its
// standard output.
func run(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = folder
	command.Env = append(command.Environ(), "GOWORK=")
	command.Env = append(command.Env, env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, out, stderr.Bytes())
	}
	return string(out)
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	contents, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(contents)
}

func write(t *testing.T, folder, name, contents string) {
	t.Helper()
	name = filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}
