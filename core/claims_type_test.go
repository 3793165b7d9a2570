package jwtgate_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// ofEveryName are members of a payload with names that differ from those of fields in
// case and in spelling.
const ofEveryName = `"A":1,"b_c":2,"D":{"a":3,"e":[4]},"straße":5,"k":6,"` + "\u017f" + `how":7,"":8,"-":9,"f":null,"G-h":10, "i" : [ 11 ] ,"\u006a":12`

type (
	embedded struct {
		B int `json:"b_c"`
		*deeper
	}
	deeper  struct{ J int }
	inlined struct {
		X map[string]any `json:",inline"`
	}
	itself  struct{ Names int }
	itsText struct{ K int }
	looped  struct {
		A       int
		*looped //nolint:unused // encoding/json follows it
	}
)

// A Number is exported because encoding/json ignores an embedded type that is neither exported
// nor a struct.
type Number int

func (n *itself) UnmarshalJSON(text []byte) error {
	n.Names = len(text)
	return nil
}

func (n *itsText) UnmarshalText([]byte) error { return nil }

// TestClaimsOfEveryType checks that a type gets the claims that encoding/json gives it
// for the whole payload, although those that it cannot have are left out.
func TestClaimsOfEveryType(t *testing.T) {
	t.Parallel()
	t.Run("no fields", checkDecoded[struct{}])
	t.Run("fields", checkDecoded[struct{ A, J, Absent int }])
	t.Run("a field in another case", checkDecoded[struct{ a, d, I any }])
	t.Run("a tag", checkDecoded[struct {
		X int `json:"b_c"`
		Y int `json:"g-H,omitempty"`
	}])
	t.Run("a tag of no name", checkDecoded[struct {
		A int `json:",omitzero"`
		J int `json:""`
	}])
	t.Run("a tag of a name that is not used", checkDecoded[struct {
		A int `json:"x\"y"` //nolint:staticcheck // encoding/json ignores such a name
	}])
	t.Run("left out by a tag", checkDecoded[struct {
		A int `json:"-"`
		X int `json:"-,"` //nolint:staticcheck // the name is -
	}])
	t.Run("a number in a string", checkDecoded[struct {
		A int `json:",string"`
	}])
	t.Run("letters outside ASCII", checkDecoded[struct {
		X int `json:"STRAßE"`
		Y int "json:\"\u212a\""
	}])
	t.Run("a long s in the token", checkDecoded[struct{ Show int }])
	t.Run("inlined, which encoding/json/v2 has", checkDecoded[struct {
		A int
		X map[string]any `json:",inline"`
	}])
	t.Run("an object", checkDecoded[struct{ D struct{ A, E any } }])
	t.Run("a map", checkDecoded[struct{ D map[string]any }])
	t.Run("raw", checkDecoded[struct{ D, I json.RawMessage }])
	t.Run("embedded", checkDecoded[struct {
		embedded
		A int
	}])
	t.Run("embedded, not a struct", checkDecoded[struct {
		Number
		A int
	}])
	t.Run("embedded with a name", checkDecoded[struct {
		deeper `json:"D"`
	}])
	t.Run("embedded in itself", checkDecoded[looped])
	t.Run("embedded, decoding itself", checkDecoded[struct {
		itself
		A int
	}])
	t.Run("registered claims", checkDecoded[jwt.RegisteredClaims])
	t.Run("decoding itself", checkDecoded[itself])
	t.Run("decoding itself from text", checkDecoded[itsText])
	t.Run("a pointer", checkDecoded[*struct{ A int }])
	t.Run("a pointer to what decodes itself", checkDecoded[**itself])
	t.Run("a map of everything", checkDecoded[map[string]any])
	t.Run("any", checkDecoded[any])
	t.Run("no object", checkDecoded[int])
	t.Run("a claim of another type", checkDecoded[struct{ D string }])
}

func checkDecoded[T any](t *testing.T) {
	payload := "{" + ofEveryName + "," + claims()[1:]
	var want T
	wantErr := json.Unmarshal([]byte(payload), &want)
	auth := newVerifier(t, keys.HS256(secret))
	got, err := jwtgate.Claims[T](decide(t, auth, withBearer(signed(t, payload)), accepted).Context)
	if (err != nil) != (wantErr != nil) {
		t.Errorf("got error %v; want %v", err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v; want %+v", got, want)
	}
}

// TestSelectedClaims checks that the claims for which a type has no field are not decoded.
func TestSelectedClaims(t *testing.T) {
	t.Parallel()
	const payload = `{"A":1,"b_c":2,"J":3,"":4,"Number":5}`
	for _, row := range []struct {
		into reflect.Type
		want string
	}{
		{reflect.TypeFor[struct{ A int }](), `{"A":1}`},
		{reflect.TypeFor[*struct{ A int }](), `{"A":1}`},
		{reflect.TypeFor[embedded](), `{"b_c":2,"J":3}`},
		{reflect.TypeFor[struct{ Number }](), `{"Number":5}`},
		{reflect.TypeFor[inlined](), payload},
		{reflect.TypeFor[struct{ inlined }](), payload},
		{reflect.TypeFor[map[string]any](), payload},
	} {
		if got := jwtgate.SelectClaims(row.into, payload); got != row.want {
			t.Errorf("%v: got %s; want %s", row.into, got, row.want)
		}
	}
}
