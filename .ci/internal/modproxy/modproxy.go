// Package modproxy packs modules in the way in which the module proxy serves them.
// The layout of the files is described at https://go.dev/ref/mod#goproxy-protocol.
package modproxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

// Add adds a module to the proxy in folder proxy, as its only version. The files are
// those of the tag that the module has for the version in the repository in folder
// root. The proxy serves the module with GOPROXY=file://proxy.
func Add(proxy, root string, m workspace.Module, version string) error {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	folder := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	var archive bytes.Buffer
	tag := m.Folder + "/" + version
	if err := zip.CreateFromVCS(&archive, module.Version{Path: m.Path, Version: version}, root, tag, m.Folder); err != nil {
		return fmt.Errorf("%s: %w", tag, err)
	}
	mod, err := m.File.Format()
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	for name, contents := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": info,
		version + ".mod":  mod,
		version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), contents, 0o600); err != nil {
			return err
		}
	}
	return nil
}
