package jwtgate

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/jwtgate/jwtgate/core/internal/clone"
	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// Claims returns the claims of the token that the request with ctx was judged by,
// decoded from JSON into a new T. It returns [ErrNoIdentity], or the decoder's error
// if the claims do not fit T. The rule [ClaimsOf] refuses such tokens before the
// handler runs.
//
// For a cached token, Claims returns a copy of the value that was decoded before,
// at a tenth of the cost, without calling UnmarshalJSON again. A T that may hold
// an interface, such as a map of any value, or a pointer that an UnmarshalJSON has
// set, cannot be copied safely and is decoded on every call.
func Claims[T any](ctx context.Context) (T, error) {
	id, ok := IdentityFrom(ctx)
	if !ok {
		var zero T
		return zero, ErrNoIdentity
	}
	return decodeClaims[T](id, id.cached)
}

// A decodedClaims is the claims of a token decoded into one type, and a list of
// those decoded into other types. Decoding takes ten times as long as everything
// else that a cached token costs, so it is done once for a cached token, and once
// for a request whose route has a [ClaimsOf] rule.
type decodedClaims struct {
	original any // a *T that is never returned; a nil *T if T must be decoded on every call
	cloner   clone.Cloner
	next     *decodedClaims // of another type
}

// decodeClaims returns the claims of id as a new T, and calls its method Validate, if
// there is one. The decoded value is kept if keep is set.
func decodeClaims[T any](id *Identity, keep bool) (T, error) {
	claims, err := claimsAs[T](id, keep)
	if err != nil {
		var zero T
		return zero, fmt.Errorf("jwtgate: claims do not fit %T: %w", zero, err)
	}
	if _, validates := any((*T)(nil)).(validator); validates || reflect.TypeFor[T]().Kind() == reflect.Pointer {
		return validated(claims)
	}
	return claims, nil
}

type validator interface{ Validate() error }

func validated[T any](claims T) (T, error) {
	v, validates := any(&claims).(validator)
	if !validates { // T can be a pointer to a type that does
		v, validates = any(claims).(validator)
	}
	if !validates {
		return claims, nil
	}
	if err := v.Validate(); err != nil {
		var zero T
		return zero, fmt.Errorf("jwtgate: claims are not a valid %T: %w", zero, err)
	}
	return claims, nil
}

// claimsAs returns the claims of id as a T that shares nothing with other values.
func claimsAs[T any](id *Identity, keep bool) (T, error) {
	known := id.decoded.Load()
	for d := known; d != nil; d = d.next {
		switch original, ok := d.original.(*T); {
		case !ok:
		case original == nil:
			return unmarshal[T](id)
		default:
			return clone.Clone(d.cloner, *original), nil
		}
	}
	claims, err := unmarshal[T](id)
	if err != nil || !keep {
		return claims, err
	}
	d := &decodedClaims{original: (*T)(nil), next: known}
	if t := id.claimsType(reflect.TypeFor[T]()); t.clonable {
		original := clone.Clone(t.cloner, claims)
		d.original, d.cloner = &original, t.cloner
	}
	id.decoded.CompareAndSwap(known, d) // if another goroutine was faster, the next call tries again
	return claims, nil
}

func unmarshal[T any](id *Identity) (claims T, err error) {
	var payload []byte
	if t := id.claimsType(reflect.TypeFor[T]()); t.names != nil {
		payload = jose.Select(id.payload, t.names)
	} else {
		payload = []byte(id.payload)
	}
	err = json.Unmarshal(payload, &claims)
	return claims, err
}
