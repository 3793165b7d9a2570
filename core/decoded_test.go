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

// everything is what the token of these tests says.
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

// Whatever is done to the claims that one request got, no other sees.
func TestClaimsAreNotShared(t *testing.T) {
	t.Parallel()
	t.Run("plain", own[struct {
		A    string
		N    int
		Pair [2]string
		When time.Time
	}])
	t.Run("list", own[struct{ List, Absent []string }])
	t.Run("lists", own[struct{ Lists [][]string }])
	t.Run("array of pointers", own[struct{ Pair [2]*string }])
	t.Run("bytes", own[struct{ Text []byte }])
	t.Run("raw", own[struct{ Raw json.RawMessage }])
	t.Run("pointers", own[struct {
		A *string
		N **int
		X *int
	}])
	t.Run("map", own[struct{ Map map[string]string }])
	t.Run("maps", own[struct {
		Maps map[string]inner
		None map[string]inner
	}])
	t.Run("map of pointers", own[struct{ Maps map[string]*inner }])
	t.Run("embedded", own[struct {
		inner
		Maps struct{ K inner }
	}])
	t.Run("golang-jwt's", own[struct {
		jwt.RegisteredClaims
		List jwt.ClaimStrings
	}])
	t.Run("a map", own[map[string]json.RawMessage])
	t.Run("any", own[struct{ Map, Maps, List any }])
	t.Run("all", own[map[string]any])
	t.Run("one that contains itself", own[tree])
	t.Run("big number", own[struct{ N *big.Int }])
	t.Run("what is not exported", own[locked])
}

func own[T any](t *testing.T) {
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
					spoil(reflect.ValueOf(&got).Elem())
				}
			}
		})
	}
	together.Wait()
}

// spoil changes all that v refers to.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Map:
		for key, element := range v.Seq2() {
			spoil(element)
			if v.CanInterface() {
				v.SetMapIndex(key, reflect.Value{})
			}
		}
	}
	if v.CanSet() {
		v.SetZero()
	}
}

// reads counts how often it is decoded.
type reads string

var decodings atomic.Int64

func (*reads) UnmarshalJSON([]byte) error { decodings.Add(1); return nil }

// Nine of ten requests with a token find its claims decoded, unless those can't be
// copied.
func TestClaimsAreDecodedOnce(t *testing.T) {
	for _, row := range []struct {
		name string
		ask  func(jwtgate.Decision) error
		want int64
	}{
		{"plain", ask[struct{ A reads }], 2},
		{"with a list", ask[struct {
			A    reads
			List []string
		}], 2},
		{"with a time", ask[struct {
			A    reads
			When time.Time
		}], 2},
		{"golang-jwt's", ask[struct {
			jwt.RegisteredClaims
			A reads
		}], 2},
		{"with an interface", ask[struct {
			A   reads
			Map any
		}], 10},
		{"with a list that is not exported", ask[struct {
			A reads
			_ []string
		}], 10},
		{"with a list that decodes itself", ask[struct {
			A    reads
			List groups
		}], 10},
		{"with a text that decodes itself", ask[struct {
			A    reads
			Text membership
		}], 10},
		{"of a wrong shape", func(d jwtgate.Decision) error {
			if _, err := jwtgate.Claims[struct {
				A    reads
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

// A route that wants claims of a type has them decoded by its rule, for its handler
// too: also those of a token never seen before.
func TestClaimsAreDecodedByTheRule(t *testing.T) {
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize = -1 })
	type wanted struct {
		A    reads
		List []string
	}
	decodings.Store(0)
	d := decide(t, auth, withBearer(signed(t, claims("a", `"b"`, "list", `["x"]`))), accepted, jwtgate.ClaimsOf[wanted]())
	for range 2 {
		got, err := jwtgate.Claims[wanted](d.Context)
		if err != nil || len(got.List) != 1 || got.List[0] != "x" {
			t.Errorf("got %v and error %v, want the list", got, err)
		}
		spoil(reflect.ValueOf(&got).Elem())
	}
	if got := decodings.Load(); got != 1 {
		t.Errorf("got %d decodings, want 1", got)
	}
}

func ask[T any](d jwtgate.Decision) error {
	_, err := jwtgate.Claims[T](d.Context)
	return err
}

// groups are those that the application has: there is one of each name.
type groups []*group

type group struct{ name string }

var staff = &group{"staff"}

func (g *groups) UnmarshalJSON([]byte) error { *g = groups{staff}; return nil }

type membership struct{ Of *group }

func (m *membership) UnmarshalText([]byte) error { m.Of = staff; return nil }

// What a type decodes itself into may be known by its place, so that a copy of it
// would be another.
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

// asked counts how often it has its say.
type asked struct{ A string }

var validations atomic.Int64

func (a *asked) Validate() error {
	if a.A += "!"; a.A != "b!" || validations.Add(1) > 3 {
		return errors.New("enough")
	}
	return nil
}

// A type has its say on every request, also about claims that were decoded before:
// what it goes by may have changed.
func TestClaimsAreValidatedAlways(t *testing.T) {
	auth := newVerifier(t, keys.HS256(secret))
	req := withBearer(signed(t, claims("a", `"b"`)))
	for range 3 {
		decide(t, auth, req, accepted, jwtgate.ClaimsOf[asked]())
	}
	decide(t, auth, req, jwtgate.CodeTokenInvalid, jwtgate.ClaimsOf[asked]())
	decide(t, auth, req, jwtgate.CodeTokenInvalid, jwtgate.ClaimsOf[*asked]())
}
