package sqltest

import (
	"slices"
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
			switch {
			case d.name != "sqlite" && slices.Contains([]string{"Create at the bound", "Create far above the bound", "Check", "Migrate"}, row.name):
				continue // with other statements
			case d.name == "mariadb" && row.name == "Feed":
				want = "SELECT BEGIN SELECT"
			case d.name == "postgres":
				want = strings.ToUpper(strings.ReplaceAll(want, "PREPARE ", ""))
			}
			f.empty()
			use := row.prepare(f)
			var steps []string
			f.tamper.refuse = func(step string) error {
				if f.meanwhile != nil {
					f.meanwhile(step)
				}
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
			}
			_, err := use(t.Context(), f.store())
			f.tamper.refuse = nil
			if got := strings.Join(steps, " "); got != want || err != nil {
				t.Errorf("%s: got %s, error %v; want %s", row.name, got, err, want)
			}
		}
	})
}
