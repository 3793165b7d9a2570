// Package workspace lists the modules of this repository.
package workspace

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Prefix begins the path of every module of this repository.
const Prefix = "github.com/jwtgate/jwtgate/"

// A Module is a module in go.work.
type Module struct {
	Path   string // such as github.com/jwtgate/jwtgate/core/redisstore
	Folder string // relative to the root of the repository, with slashes, such as core/redisstore
	File   *modfile.File
}

// Released reports whether releases give the module a tag. Modules below examples
// are for readers of the repository and have no versions.
func (m Module) Released() bool {
	return m.Folder != "examples" && !strings.HasPrefix(m.Folder, "examples/")
}

// Siblings returns the modules of this repository that the module requires.
func (m Module) Siblings() []*modfile.Require {
	var siblings []*modfile.Require
	for _, require := range m.File.Require {
		if strings.HasPrefix(require.Mod.Path, Prefix) {
			siblings = append(siblings, require)
		}
	}
	return siblings
}

// Modules returns the modules in the go.work of the repository in folder root, in
// the order of that file.
func Modules(root string) ([]Module, error) {
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, err
	}
	var modules []Module
	for _, use := range work.Use {
		folder := filepath.ToSlash(filepath.Clean(use.Path))
		name := filepath.Join(root, folder, "go.mod")
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := modfile.Parse(name, data, nil)
		if err != nil {
			return nil, err
		}
		modules = append(modules, Module{Path: file.Module.Mod.Path, Folder: folder, File: file})
	}
	return modules, nil
}

// Released returns the modules of [Modules] to which releases give a tag.
func Released(root string) ([]Module, error) {
	modules, err := Modules(root)
	if err != nil {
		return nil, err
	}
	var released []Module
	for _, module := range modules {
		if module.Released() {
			released = append(released, module)
		}
	}
	return released, nil
}
