package sqltest

import (
	"cmp"
	"strings"
	"testing"
)

// TestSteps checks the statements of each method, each of which takes a round trip. DUE is an
// UPDATE of the columns that have indexes, and OWNED a SELECT of the sessions of an owner. A
// statement in lower case was prepared.
func TestSteps(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		f := newFragile(t, d)
		for _, row := range uses {
			want := row.steps
			if d.name == "postgres" { // which prepares nothing
				want = strings.ToUpper(strings.ReplaceAll(want, "PREPARE ", ""))
			}
			want = cmp.Or(otherSteps[d.name+": "+row.name], want)
			f.empty()
			use := row.prepare(f)
			var steps []string
			_, err := f.run(t.Context(), use, func(step string) error {
				switch word, rest, _ := strings.Cut(strings.TrimSpace(step), " "); {
				case word == "EXECUTE":
					word, _, _ = strings.Cut(rest, " ")
					steps = append(steps, strings.ToLower(word))
				case word == "UPDATE" && strings.Contains(rest, "due_at = "):
					steps = append(steps, "DUE")
				case word == "SELECT" && strings.Contains(rest, "owner = "):
					steps = append(steps, "OWNED")
				case word != "FETCH" && word != "END" && word != "--":
					steps = append(steps, word)
				}
				return nil
			})
			if got := strings.Join(steps, " "); got != want || err != nil {
				t.Errorf("%s: got %s, error %v; want %s", row.name, got, err, want)
			}
		}
	})
}

// otherSteps are the steps that servers need to lock an owner or a migration, or to find
// their settings, and what a feed needs to lock revocations.
var otherSteps = map[string]string{
	"postgres: Create at the bound":        "BEGIN SELECT OWNED OWNED DUE INSERT INSERT COMMIT",
	"postgres: Create far above the bound": "BEGIN SELECT OWNED OWNED DUE INSERT COMMIT BEGIN SELECT OWNED OWNED DUE INSERT INSERT COMMIT",
	"postgres: Check":                      "SELECT SELECT SELECT",
	"postgres: Migrate":                    "BEGIN SELECT SELECT CREATE CREATE CREATE CREATE CREATE INSERT COMMIT",

	"mariadb: Create at the bound":        "BEGIN SELECT INSERT OWNED OWNED DUE INSERT INSERT COMMIT", // the row of the lock was missing
	"mariadb: Create far above the bound": "BEGIN SELECT OWNED OWNED DUE INSERT COMMIT BEGIN SELECT OWNED OWNED DUE INSERT INSERT COMMIT",
	"mariadb: Feed":                       "SELECT BEGIN SELECT",
	"mariadb: Check":                      "SELECT SELECT SELECT",
	"mariadb: Migrate":                    "SELECT SELECT CREATE CREATE INSERT INSERT DO",
}
