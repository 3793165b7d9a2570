package clone_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/clone"
)

type (
	lists struct {
		List []string
	}
	id     [2]byte
	set    map[string]bool
	tree   struct{ Child *tree }
	array3 = [1][1][1]string
)

func (*id) UnmarshalText([]byte) error  { return nil }
func (*set) UnmarshalJSON([]byte) error { return nil }

// TestFor checks which types can be copied.
func TestFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		of   reflect.Type
		want bool
	}{
		{"time", reflect.TypeFor[time.Time](), true},
		{"array", reflect.TypeFor[[2]string](), true},
		{"array of lists", reflect.TypeFor[[2][]string](), true},
		{"array that decodes itself, without references", reflect.TypeFor[id](), true},
		{"array in an unexported field", reflect.TypeFor[struct{ _ [2]string }](), true},
		{"bytes that decode themselves", reflect.TypeFor[json.RawMessage](), true},
		{"map", reflect.TypeFor[map[string]string](), true},
		{"map whose keys are structs", reflect.TypeFor[map[struct{ A string }]string](), true},
		{"map that decodes itself", reflect.TypeFor[set](), false},
		{"map whose keys are interfaces", reflect.TypeFor[map[any]string](), false},
		{"map whose keys are pointers", reflect.TypeFor[map[*string]string](), false},
		{"embedded struct", reflect.TypeFor[struct{ lists }](), true},
		{"unexported field that is a struct", reflect.TypeFor[struct{ _ lists }](), false},
		{"embedded pointer of an unexported type", reflect.TypeFor[struct{ *lists }](), false},
		{"8 levels", reflect.TypeFor[[1][1]map[string][1][1]array3](), true},
		{"9 levels", reflect.TypeFor[[1][1]map[string][1][1][1]array3](), false},
		{"9 levels to a part of a key", reflect.TypeFor[map[[1][1][1][1][1]array3]string](), false},
		{"9 levels to a list", reflect.TypeFor[[1][1][1][1][1][1][1][1][1][]string](), false},
		{"type that contains itself", reflect.TypeFor[tree](), false},
	} {
		if _, got := clone.For(row.of); got != row.want {
			t.Errorf("%s: got %v; want %v", row.name, got, row.want)
		}
	}
}
