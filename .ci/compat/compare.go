package main

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

// compare compares the API of the modules in folder root with that of their last
// release. It returns a sentence that says what was compared, or an error that lists
// the incompatible changes that the change log does not allow.
func compare(ctx context.Context, root string) (string, error) {
	changes, err := readChangeLog(root)
	if err != nil {
		return "", err
	}
	version, err := lastTagged(ctx, root, changes.releases)
	if err != nil {
		return "", err
	}
	if version == "" {
		return "There is no release yet with which the API can be compared.", nil
	}

	old, err := os.MkdirTemp("", "compat-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(old) }()
	if err := extract(ctx, root, "core/"+version, old); err != nil {
		return "", err
	}
	was, err := load(ctx, old)
	if err != nil {
		return "", fmt.Errorf("cannot load the packages of %s: %w", version, err)
	}
	is, err := load(ctx, root)
	if err != nil {
		return "", err
	}

	var breaks []error
	for _, folder := range slices.Sorted(maps.Keys(was)) {
		for _, change := range incompatible(was[folder], is[folder]) {
			if !changes.allows(change.name, version) {
				breaks = append(breaks, change.explain(folder, version))
			}
		}
	}
	return "The API is compatible with " + version + ", except for changes that the change log allows.", errors.Join(breaks...)
}

// lastTagged returns the newest of the releases that has tags, or "" if there was
// no release. The newest heading of the change log may be of a release in preparation.
func lastTagged(ctx context.Context, root string, releases []string) (string, error) {
	tags, err := git(ctx, root, "tag", "--list", "core/v*")
	if err != nil {
		return "", err
	}
	for _, version := range releases {
		if slices.Contains(strings.Fields(tags), "core/"+version) {
			return version, nil
		}
	}
	if len(releases) > 1 {
		return "", fmt.Errorf("the change log names the release %s, but there is no tag core/%[1]s: run `git fetch --tags`", releases[1])
	}
	return "", nil
}

// extract writes the files of the repository in folder root, as of revision, to folder.
func extract(ctx context.Context, root, revision, folder string) error {
	archive := filepath.Join(folder, "archive.tar")
	if _, err := git(ctx, root, "archive", "--output="+archive, revision); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", folder).CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w\n%s", err, out)
	}
	return os.Remove(archive)
}

// load returns the packages that applications can import from the modules in folder
// root, by the folder of the package.
func load(ctx context.Context, root string) (map[string]*types.Package, error) {
	modules, err := workspace.Released(root)
	if err != nil {
		return nil, err
	}
	var patterns []string
	for _, module := range modules {
		patterns = append(patterns, module.Path+"/...")
	}
	loaded, err := packages.Load(&packages.Config{
		Context: ctx,
		Dir:     root,
		// This program runs without go.work, but the packages are loaded with it.
		Env:        append(os.Environ(), "GOWORK="),
		BuildFlags: []string{"-trimpath"}, // shares the results of builds between folders
		Mode:       packages.NeedName | packages.NeedTypes,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*types.Package)
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, errors.New(p.Errors[0].Msg)
		}
		if folder := strings.TrimPrefix(p.PkgPath, workspace.Prefix); p.Name != "main" && !slices.Contains(strings.Split(folder, "/"), "internal") {
			found[folder] = p.Types
		}
	}
	return found, nil
}

// A change is a change of the API after which code may no longer compile.
type change struct {
	name    string // of what has changed, such as jwtgate.Config.Issuer or package keys
	message string // what has changed
}

// incompatible returns the changes between two versions of a package. The new version
// is nil if the package is gone.
func incompatible(was, is *types.Package) []change {
	if is == nil {
		name := "package " + was.Name()
		return []change{{name, "removed"}}
	}
	var found []change
	for _, c := range apidiff.Changes(was, is).Changes {
		if !c.Compatible {
			found = append(found, change{was.Name() + "." + symbol(c.Message), c.Message})
		}
	}
	return found
}

// symbol returns the name at the beginning of a message of package apidiff, such as
// Ring.Rotate of "(*Ring).Rotate: removed".
func symbol(message string) string {
	name, _, _ := strings.Cut(message, ":")
	return strings.NewReplacer("(", "", "*", "", ")", "").Replace(name)
}

// explain says what the author of the change can do.
func (c change) explain(folder, version string) error {
	if strings.HasPrefix(version, "v0.") {
		return fmt.Errorf("%s: %s\n\tApplications that use %s may no longer compile. Keep the name as it was and mark it as deprecated,"+
			" or, if the break is needed, name `%s` below \"### Breaking\" in .github/%s and say there what to use instead",
			folder, c.message, version, c.name, changeLogName)
	}
	return fmt.Errorf("%s: %s\n\tApplications that use %s may no longer compile. Keep the name as it was and mark it as deprecated:"+
		" since v1.0.0 only a new major version, which has another module path, may break it", folder, c.message, version)
}

func git(ctx context.Context, folder string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", append([]string{"-C", folder}, args...)...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, stderr.String())
	}
	return string(out), nil
}
