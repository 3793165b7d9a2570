package examples

import (
	"flag"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file of TestExportedNames")

const goldenNames = "testdata/names.txt"

// TestExportedNames compares the exported names of every package that applications
// can import with a golden file, so that they change only on purpose.
func TestExportedNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, folder := range publicFolders(t, "..") {
		names = append(names, exportedNames(t, folder)...)
	}
	got := strings.Join(names, "\n") + "\n"
	if *update {
		if err := os.WriteFile(goldenNames, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenNames)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(golden) {
		return
	}
	want := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n")
	for _, name := range names {
		if !slices.Contains(want, name) {
			t.Errorf("%s is new", name)
		}
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("%s is gone", name)
		}
	}
	t.Error("the exported names have changed: if that is intended, run `go test ./examples -run TestExportedNames -update` and say why in the commit")
}

// publicFolders returns the folders below root with a package that applications can
// import, in alphabetical order.
func publicFolders(t *testing.T, root string) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case path == filepath.Join(root, "examples"), name == "internal", name == "testdata", name != root && strings.HasPrefix(name, "."):
			return filepath.SkipDir
		}
		if files := sources(t, path); len(files) > 0 {
			folders = append(folders, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// sources returns the Go files in folder that are not tests.
func sources(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
}

// exportedNames returns the exported names of the package in folder, each with the
// folder before it.
func exportedNames(t *testing.T, folder string) []string {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, file := range sources(t, folder) {
		f, err := parser.ParseFile(files, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	p, err := doc.NewFromFiles(files, parsed, folder)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name == "main" {
		return nil
	}
	var names []string
	add := func(name string) {
		names = append(names, strings.TrimPrefix(filepath.ToSlash(folder), "../")+": "+name)
	}
	values := func(values []*doc.Value) {
		for _, value := range values {
			for _, name := range value.Names {
				if token.IsExported(name) {
					add(name)
				}
			}
		}
	}
	functions := func(functions []*doc.Func) {
		for _, f := range functions {
			add(f.Name)
		}
	}
	values(p.Consts)
	values(p.Vars)
	functions(p.Funcs)
	for _, typ := range p.Types {
		add(typ.Name)
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Funcs)
		for _, method := range typ.Methods {
			add(typ.Name + "." + method.Name)
		}
		for _, member := range members(typ.Decl) {
			add(typ.Name + "." + member)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// members returns the exported fields or methods of the struct or interface types in
// decl.
func members(decl *ast.GenDecl) []string {
	var names []string
	for _, spec := range decl.Specs {
		var list *ast.FieldList
		switch typ := spec.(*ast.TypeSpec).Type.(type) {
		case *ast.StructType:
			list = typ.Fields
		case *ast.InterfaceType:
			list = typ.Methods
		default:
			continue
		}
		for _, field := range list.List {
			for _, name := range field.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
