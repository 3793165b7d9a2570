package jwtgate_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// everything has the claims of the token that these tests decode.
const everything = `{"a":"b","n":3,"list":["x","y"],"lists":[["x"],["y","z"]],"pair":["x","y"],` +
	`"map":{"k":"v"},"maps":{"k":{"roles":["x"]}},"when":"2026-11-21T00:00:00Z","text":"QUJD","raw":{"k":[1]}}`

type (
	inner struct {
		Roles []string `json:"roles"`
	}
	tree struct {
		A     string `json:"a"`
		Child *tree  `json:"child"`
	}
	locked struct {
		A string `json:"a"`
		_ sync.Mutex
		_ []string
	}
)

// Decoded claims are cached, but each request gets its own copy: a handler that
// changes its claims does not change those of another request.
func TestClaimsAreNotShared(t *testing.T) {
	t.Parallel()
	t.Run("plain", checkClaimsAreCopies[struct {
		A    string
		N    int
		Pair [2]string
		When time.Time
	}])
	t.Run("list", checkClaimsAreCopies[struct{ List, Absent []string }])
	t.Run("lists", checkClaimsAreCopies[struct{ Lists [][]string }])
	t.Run("array of pointers", checkClaimsAreCopies[struct{ Pair [2]*string }])
	t.Run("bytes", checkClaimsAreCopies[struct{ Text []byte }])
	t.Run("raw", checkClaimsAreCopies[struct{ Raw json.RawMessage }])
	t.Run("pointers", checkClaimsAreCopies[struct {
		A *string
		N **int
		X *int
	}])
	t.Run("map", checkClaimsAreCopies[struct{ Map map[string]string }])
	t.Run("maps", checkClaimsAreCopies[struct {
		Maps map[string]inner
		None map[string]inner
	}])
	t.Run("map of pointers", checkClaimsAreCopies[struct{ Maps map[string]*inner }])
	t.Run("embedded", checkClaimsAreCopies[struct {
		inner
		Maps struct{ K inner }
	}])
	t.Run("golang-jwt's", checkClaimsAreCopies[struct {
		jwt.RegisteredClaims
		List jwt.ClaimStrings
	}])
	t.Run("a map", checkClaimsAreCopies[map[string]json.RawMessage])
	t.Run("any", checkClaimsAreCopies[struct{ Map, Maps, List any }])
	t.Run("all", checkClaimsAreCopies[map[string]any])
	t.Run("one that contains itself", checkClaimsAreCopies[tree])
	t.Run("big number", checkClaimsAreCopies[struct{ N *big.Int }])
	t.Run("what is not exported", checkClaimsAreCopies[locked])
}

func checkClaimsAreCopies[T any](t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	payload := claims("exp", at(900))
	payload = payload[:len(payload)-1] + "," + everything[1:]
	var want T
	if err := json.Unmarshal([]byte(payload), &want); err != nil {
		t.Fatal(err)
	}
	req := withBearer(signed(t, payload))
	var together sync.WaitGroup
	for range 3 {
		together.Go(func() {
			for range 4 {
				ctx := auth.Decide(t.Context(), req).Context
				for range 2 {
					got, err := jwtgate.Claims[T](ctx)
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("got %+v and error %v, want %+v", got, err, want)
					}
					overwrite(reflect.ValueOf(&got).Elem())
				}
			}
		})
	}
	together.Wait()
}

// overwrite changes everything that v refers to.
func overwrite(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			overwrite(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			overwrite(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			overwrite(v.Index(i))
		}
	case reflect.Map:
		for key, element := range v.Seq2() {
			overwrite(element)
			if v.CanInterface() {
				v.SetMapIndex(key, reflect.Value{})
			}
		}
	}
	if v.CanSet() {
		v.SetZero()
	}
}

// A countedText counts how often it is decoded.
type countedText string

var decodings atomic.Int64

func (*countedText) UnmarshalJSON([]byte) error { decodings.Add(1); return nil }

// The claims of a token are not decoded again once it is cached, which it is by its
// second request. Types that cannot be copied are decoded for each request.
func TestClaimsAreDecodedOnce(t *testing.T) {
	for _, row := range []struct {
		name string
		ask  func(jwtgate.Decision) error
		want int64
	}{
		{"plain", claimsAs[struct{ A countedText }], 2},
		{"with a list", claimsAs[struct {
			A    countedText
			List []string
		}], 2},
		{"with a time", claimsAs[struct {
			A    countedText
			When time.Time
		}], 2},
		{"golang-jwt's", claimsAs[struct {
			jwt.RegisteredClaims
			A countedText
		}], 2},
		{"with an interface", claimsAs[struct {
			A   countedText
			Map any
		}], 10},
		{"with a list that is not exported", claimsAs[struct {
			A countedText
			_ []string
		}], 10},
		{"with a list that decodes itself", claimsAs[struct {
			A    countedText
			List groups
		}], 10},
		{"with a text that decodes itself", claimsAs[struct {
			A    countedText
			Text membership
		}], 10},
		{"of a wrong shape", func(d jwtgate.Decision) error {
			if _, err := jwtgate.Claims[struct {
				A    countedText
				List int
			}](d.Context); err == nil {
				return errors.New("a list is no number")
			}
			return nil
		}, 10},
	} {
		auth := newVerifier(t, keys.HS256(secret))
		req := withBearer(signed(t, claims("a", `"b"`, "list", `["x"]`, "text", `"x"`)))
		decodings.Store(0)
		for range 10 {
			if err := row.ask(decide(t, auth, req, accepted)); err != nil {
				t.Errorf("%s: got error %v", row.name, err)
			}
		}
		if got := decodings.Load(); got != row.want {
			t.Errorf("%s: got %d decodings, want %d", row.name, got, row.want)
		}
	}
}

// ClaimsOf decodes the claims once, and the handler gets a copy of them, also for a
// token that is not cached.
func TestClaimsAreDecodedByTheRule(t *testing.T) {
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize = -1 })
	type wanted struct {
		A    countedText
		List []string
	}
	decodings.Store(0)
	d := decide(t, auth, withBearer(signed(t, claims("a", `"b"`, "list", `["x"]`))), accepted, jwtgate.ClaimsOf[wanted]())
	for range 2 {
		got, err := jwtgate.Claims[wanted](d.Context)
		if err != nil || len(got.List) != 1 || got.List[0] != "x" {
			t.Errorf("got %v and error %v, want the list", got, err)
		}
		overwrite(reflect.ValueOf(&got).Elem())
	}
	if got := decodings.Load(); got != 1 {
		t.Errorf("got %d decodings, want 1", got)
	}
}

func claimsAs[T any](d jwtgate.Decision) error {
	_, err := jwtgate.Claims[T](d.Context)
	return err
}

// groups decodes names to pointers to the application's groups, of which there is
// one per name.
type groups []*group

type group struct{ name string }

var staff = &group{"staff"}

func (g *groups) UnmarshalJSON([]byte) error { *g = groups{staff}; return nil }

type membership struct{ Of *group }

func (m *membership) UnmarshalText([]byte) error { m.Of = staff; return nil }

// A type with its own UnmarshalJSON may decode to pointers whose identity counts, so
// its values are not copied.
func TestClaimsThatDecodeThemselves(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	req := withBearer(signed(t, claims("list", `["staff"]`)))
	for i := range 4 {
		got, err := jwtgate.Claims[struct{ List groups }](decide(t, auth, req, accepted).Context)
		if err != nil || len(got.List) != 1 || got.List[0] != staff {
			t.Errorf("request %d: got %v and error %v, want the very group", i, got.List, err)
		}
	}
}

// validatedClaims count their calls of Validate, and are invalid from the fourth on.
type validatedClaims struct{ A string }

var validations atomic.Int64

func (a *validatedClaims) Validate() error {
	if a.A += "!"; a.A != "b!" || validations.Add(1) > 3 {
		return errors.New("enough")
	}
	return nil
}

// Validate is called for each request, also for cached claims: its result may change.
func TestClaimsAreValidatedAlways(t *testing.T) {
	auth := newVerifier(t, keys.HS256(secret))
	req := withBearer(signed(t, claims("a", `"b"`)))
	for range 3 {
		decide(t, auth, req, accepted, jwtgate.ClaimsOf[validatedClaims]())
	}
	decide(t, auth, req, jwtgate.CodeTokenInvalid, jwtgate.ClaimsOf[validatedClaims]())
	decide(t, auth, req, jwtgate.CodeTokenInvalid, jwtgate.ClaimsOf[*validatedClaims]())
}
