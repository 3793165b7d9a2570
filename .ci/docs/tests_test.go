package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
)

const root = "../.."

var (
	// namedTest is a test in a document, such as `core/keys.TestUnusableKeys`.
	namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz|Benchmark|Example)[A-Za-z0-9_]*)`")

	function = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)[A-Za-z0-9_]*)\(`)
)

// TestNamedTests checks that the tests that documents name exist. The threat model and
// the table of standards name a test in every row.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	functions := make(map[string]map[string]bool) // by the folder of the package
	inFolder := func(folder string) map[string]bool {
		if functions[folder] == nil {
			functions[folder] = functionsIn(t, folder)
		}
		return functions[folder]
	}
	for _, name := range []string{"README.md", ".github/security/threat-model.md", ".github/security/standards.md"} {
		document, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		found := namedTest.FindAllSubmatch(document, -1)
		if len(found) == 0 && path.Dir(name) == ".github/security" {
			t.Errorf("%s names no tests", name)
		}
		for _, match := range found {
			if folder, test := string(match[1]), string(match[2]); !inFolder(folder)[test] {
				t.Errorf("%s: the folder %s has no %s", name, folder, test)
			}
		}
	}
}

// functionsIn returns the names of the tests in a folder.
func functionsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range function.FindAllSubmatch(code, -1) {
			names[string(match[1])] = true
		}
	}
	return names
}

// TestRowsNameTests checks that each row of a table with a column of tests names one,
// or says that the requirement is the application's.
func TestRowsNameTests(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| .* \|$`)
	for _, name := range []string{"threat-model.md", "standards.md"} {
		document, err := os.ReadFile(filepath.Join(root, ".github", "security", name))
		if err != nil {
			t.Fatal(err)
		}
		withTests := false
		for _, line := range row.FindAllString(string(document), -1) {
			switch {
			case regexp.MustCompile(`^\| (attack|requirement|attacker) \|`).MatchString(line):
				withTests = regexp.MustCompile(`\| tests \|$`).MatchString(line)
			case !withTests, regexp.MustCompile(`^\|[ -|]*\|$`).MatchString(line):
			case !namedTest.MatchString(line) && !regexp.MustCompile(`\| yours`).MatchString(line):
				t.Errorf("%s: the row names no test: %s", name, line)
			}
		}
	}
}
