package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// An overlay is the code with all mutants, which the go command reads instead of that of
// the repository.
type overlay struct {
	root      string // absolute
	temporary string
	file      string       // for the go command
	switched  map[int]bool // the numbers of the mutants that are in the code
}

// newOverlay writes the code with mutants, whose numbers are their indexes plus one. The
// caller closes the overlay.
func newOverlay(ctx context.Context, root string, mutants []mutant) (*overlay, error) {
	if len(mutants) > maxMutants {
		return nil, fmt.Errorf("there are %d mutants; at most %d can be tried together", len(mutants), maxMutants)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	o := &overlay{root: root, temporary: temporary, file: filepath.Join(temporary, "overlay.json"), switched: make(map[int]bool)}
	err = os.Chmod(temporary, 0o711) //nolint:gosec // for processes of other users
	if err == nil {
		err = o.write(ctx, mutants)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *overlay) close() { _ = os.RemoveAll(o.temporary) }

func (o *overlay) environment() []string {
	return append(os.Environ(), "GOWORK="+filepath.Join(o.root, "go.work"))
}

// write writes the files of the overlay.
func (o *overlay) write(ctx context.Context, mutants []mutant) error {
	numbers := make(map[string]map[change]int) // by the absolute name of the file
	folders := make(map[string]bool)
	var patterns []string
	for i, m := range mutants {
		name := filepath.Join(o.root, filepath.FromSlash(m.file))
		if numbers[name] == nil {
			numbers[name] = make(map[change]int)
		}
		numbers[name][change{m.offset, m.offset + len(m.old), m.new}] = i + 1
		if folder := m.folder(); !folders[folder] {
			folders[folder] = true
			patterns = append(patterns, "./"+folder)
		}
	}
	loaded, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode:    packages.LoadSyntax,
		Dir:     o.root,
		Env:     o.environment(),
	}, patterns...)
	if err != nil {
		return err
	}
	replaced := make(map[string]string)
	add := func(original, code string) error {
		name := filepath.Join(o.temporary, strconv.Itoa(len(replaced))+".go")
		replaced[original] = name
		return os.WriteFile(name, []byte(code), 0o600)
	}
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return p.Errors[0]
		}
		if err := add(filepath.Join(p.Dir, "mutants.go"), fmt.Sprintf(switches, p.Name, maxMutants+1)); err != nil {
			return err
		}
		for i, file := range p.Syntax {
			original := p.CompiledGoFiles[i]
			if numbers[original] == nil {
				continue
			}
			code, err := os.ReadFile(original)
			if err != nil {
				return err
			}
			s := &switcher{code: code, set: p.Fset, info: p.TypesInfo, own: p.Types, numbers: numbers[original], switched: o.switched}
			if err := add(original, s.file(file)); err != nil {
				return err
			}
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return err
	}
	return os.WriteFile(o.file, overlay, 0o600)
}

// compile compiles the tests of pkg and returns the name of the program.
func (o *overlay) compile(ctx context.Context, pkg string) (string, error) {
	program := filepath.Join(o.temporary, strings.ReplaceAll(pkg, "/", "_")+".exe")
	command := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-o="+program, "-overlay="+o.file, pkg)
	command.Dir, command.Env = o.root, o.environment()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("the tests of %s do not compile with all mutants: %w\n%s", pkg, err, &output)
	}
	return program, nil
}
