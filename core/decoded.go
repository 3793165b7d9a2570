package jwtgate

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// decoded is what the claims of a token were decoded into: a value of each type
// that was asked for. Decoding takes ten times as long as all else that a token
// seen before costs, so it is done once for a token that is in the cache, and once
// for a request whose route wants the claims to be of a type.
type decoded struct {
	original any // a *T that nobody else has; nil for a T to decode every time
	detach   detacher
	next     *decoded // of another type
}

// decodeClaims returns the claims of id as a T of the caller's own, and lets the
// type have its say about them. They are kept if they are to be asked for again.
func decodeClaims[T any](id *Identity, again bool) (T, error) {
	claims, err := claimsAs[T](id, again)
	if err != nil {
		var zero T
		return zero, fmt.Errorf("jwtgate: claims do not fit %T: %w", zero, err)
	}
	if _, demanding := any((*T)(nil)).(validator); demanding || reflect.TypeFor[T]().Kind() == reflect.Pointer {
		return validated(claims)
	}
	return claims, nil
}

type validator interface{ Validate() error }

func validated[T any](claims T) (T, error) {
	v, demanding := any(&claims).(validator)
	if !demanding { // unless T is a pointer to one that is
		v, demanding = any(claims).(validator)
	}
	if !demanding {
		return claims, nil
	}
	if err := v.Validate(); err != nil {
		var zero T
		return zero, fmt.Errorf("jwtgate: claims are not a valid %T: %w", zero, err)
	}
	return claims, nil
}

// claimsAs returns the claims of id as a T that shares nothing with any other.
func claimsAs[T any](id *Identity, again bool) (T, error) {
	known := id.decoded.Load()
	for d := known; d != nil; d = d.next {
		switch original, ok := d.original.(*T); {
		case !ok:
		case original == nil:
			return unmarshal[T](id)
		case d.detach == nil:
			return *original, nil
		default:
			return detached(*original, d.detach), nil
		}
	}
	claims, err := unmarshal[T](id)
	if err != nil || !again {
		return claims, err
	}
	d := &decoded{original: (*T)(nil), next: known}
	if how := id.alone.auth.copyingOf(reflect.TypeFor[T]()); how.possible {
		original := detached(claims, how.detach)
		d.original, d.detach = &original, how.detach
	}
	id.decoded.CompareAndSwap(known, d) // or the next one does
	return claims, nil
}

func unmarshal[T any](id *Identity) (claims T, err error) {
	err = json.Unmarshal([]byte(id.payload), &claims)
	return claims, err
}

func detached[T any](claims T, detach detacher) T {
	if detach != nil {
		detach(reflect.ValueOf(&claims).Elem())
	}
	return claims
}

// copying is how values of a type are copied.
type copying struct {
	possible bool
	detach   detacher
}

// copyingOf returns how values of t are copied, which it finds out once.
func (a *Auth) copyingOf(t reflect.Type) copying {
	if how, known := a.copying.Load(t); known {
		return how.(copying)
	}
	var how copying
	how.detach, how.possible = detacherOf(t, 0)
	a.copying.Store(t, how)
	return how
}
