package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	before   = "package jwtgate\n\ntype Config struct{ Issuer string }\n\ntype Auth struct{}\n\nfunc (*Auth) Close() {}\n\nfunc New(Config) *Auth { return nil }\n"
	gone     = "package jwtgate\n\ntype Config struct{ Issuer string }\n\ntype Auth struct{}\n\nfunc (*Auth) Close() {}\n"
	listed   = "package jwtgate\n\ntype Config struct{ Issuer []string }\n\ntype Auth struct{}\n\nfunc (*Auth) Close() {}\n\nfunc New(Config) *Auth { return nil }\n"
	unclosed = "package jwtgate\n\ntype Config struct{ Issuer string }\n\ntype Auth struct{}\n\nfunc New(Config) *Auth { return nil }\n"
	more     = before + "\nfunc Role(string) {}\n"
	keys     = "package keys\n\nfunc HS256() {}\n"

	unreleased = "# Change log\n\n## Unreleased\n\n"
	released   = "## v0.1.0 - 2026-01-02\n\n### Added\n\n- Everything.\n"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	const deprecate = "Keep the name as it was and mark it as deprecated, or, if the break is needed, name `"
	for _, test := range []struct {
		name, source, keys, log, want string
	}{
		{"no change", before, keys, unreleased + released, "compatible with v0.1.0"},
		{"a new function", more, keys, unreleased + released, "compatible with v0.1.0"},
		{"a function is gone", gone, keys, unreleased + released, "core: New: removed"},
		{"the remedy", gone, keys, unreleased + released, deprecate + "jwtgate.New` below \"### Breaking\" in .github/CHANGELOG.md"},
		{"a method is gone", unclosed, keys, unreleased + released, deprecate + "jwtgate.Auth.Close`"},
		{"a field has another type", listed, keys, unreleased + released, deprecate + "jwtgate.Config.Issuer`"},
		{"a package is gone", before, "", unreleased + released, "core/keys: removed"},
		{"an allowed break", gone, keys, unreleased + "### Breaking\n\n- `jwtgate.New` is gone.\n\n" + released, "compatible with v0.1.0"},
		{"an allowed break in a new release", gone, keys, unreleased + "## v0.2.0 - 2026-02-03\n\n### Breaking\n\n- `jwtgate.New` is gone.\n\n" + released, "compatible with v0.1.0"},
		{"an allowed removal of a package", before, "", unreleased + "### Breaking\n\n- `package keys` is gone.\n\n" + released, "compatible with v0.1.0"},
		{"a break below another heading", gone, keys, unreleased + "### Removed\n\n- `jwtgate.New` is gone.\n\n" + released, "core: New: removed"},
		{"another name in the change log", gone, keys, unreleased + "### Breaking\n\n- `jwtgate.Newer` is gone.\n\n" + released, "core: New: removed"},
		{"a break in the release itself", gone, keys, unreleased + released + "\n### Breaking\n\n- `jwtgate.New` is gone.\n", "core: New: removed"},
		{"the first release in preparation", gone, keys, unreleased + "## v0.0.1 - 2026-01-01\n", "no release yet"},
		{"no release", gone, keys, unreleased, "no release yet"},
		{"no tags", gone, keys, unreleased + "## v0.0.2 - 2026-01-02\n\n## v0.0.1 - 2026-01-01\n", "run `git fetch --tags`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := release(t, "v0.1.0")
			write(t, root, "core/core.go", test.source)
			write(t, root, "core/keys/keys.go", test.keys)
			write(t, root, ".github/CHANGELOG.md", test.log)
			report, err := compare(t.Context(), root)
			if err != nil {
				report = err.Error()
			}
			if !strings.Contains(report, test.want) {
				t.Errorf("got %q; want %q", report, test.want)
			}
		})
	}
}

// After v1.0.0, the change log cannot allow a break.
func TestCompareStable(t *testing.T) {
	t.Parallel()
	root := release(t, "v1.0.0")
	write(t, root, "core/core.go", gone)
	write(t, root, ".github/CHANGELOG.md", unreleased+"### Breaking\n\n- `jwtgate.New` is gone.\n\n## v1.0.0 - 2026-01-02\n")
	_, err := compare(t.Context(), root)
	if err == nil || !strings.Contains(err.Error(), "only a new major version") {
		t.Errorf("got %v; want an error that names the new major version", err)
	}
}

// release returns the folder of a new repository that has released version.
func release(t *testing.T, version string) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.work", "go 1.25.0\n\nuse ./core\n")
	write(t, root, "core/go.mod", "module github.com/jwtgate/jwtgate/core\n\ngo 1.25.0\n")
	write(t, root, "core/core.go", before)
	write(t, root, "core/keys/keys.go", keys)
	write(t, root, "core/internal/jose/jose.go", "package jose\n")
	for _, args := range [][]string{
		{"init", "-q"},
		{"config", "user.name", "Test"},
		{"config", "user.email", "test@example.com"},
		{"add", "."},
		{"commit", "-q", "-m", "all: release " + version},
		{"tag", "core/" + version},
	} {
		if _, err := git(t.Context(), root, args...); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// write writes a file of the repository in folder root. Empty contents remove the file.
func write(t *testing.T, root, name, contents string) {
	t.Helper()
	name = filepath.Join(root, filepath.FromSlash(name))
	if contents == "" {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}
