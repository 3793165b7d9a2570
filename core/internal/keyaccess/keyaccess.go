// Package keyaccess has the interfaces between package jwtgate and package keys.
//
// Only package keys knows the bytes of keys. It implements these interfaces, and
// package jwtgate calls them. Because this package is internal, no other module can
// implement keys.Source.
package keyaccess

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

const (
	// MaxSignatureSize is the size of the largest signature, in bytes: that of
	// an RSA key of 8192 bits.
	MaxSignatureSize = 8192 / 8

	// MaxLeeway is the largest clock difference that a configuration can allow.
	// A retired key is kept for that long after its last token has expired.
	MaxLeeway = 5 * time.Minute
)

// Options are the parameters for opening a source of keys.
type Options struct {
	Issuer string                         // the issuer that has the keys, empty for any
	Logger *slog.Logger                   // logs insecure keys, and changes and errors of remote keys
	Report func(context.Context, *Change) // is called for changes of remote keys

	// Fetched is called after each attempt to fetch remote keys.
	Fetched func(ctx context.Context, issuer string, took time.Duration, err error)
}

// A Change is something that happened to the keys of an issuer.
type Change struct {
	Kind   ChangeKind
	Issuer string
	Err    error // the cause, nil for Changed
}

// A ChangeKind says what happened to the keys of an issuer.
type ChangeKind int

// The kinds of changes.
const (
	Unavailable ChangeKind = iota // the keys could not be fetched
	Skipped                       // a key of the fetched set cannot be used
	Changed                       // the issuer has other keys than before
)

// Keys are the keys of one issuer. They may change at any time. All methods are
// safe for concurrent use.
type Keys interface {
	// Current returns the current keys. It is called for every token that is
	// verified, and never blocks.
	Current() Set

	// SigningKey returns the key that signs a token with these times of issue
	// and expiry, or nil if none of the keys can sign.
	SigningKey(issued, expires time.Time) SigningKey
}

// Remote are [Keys] that are fetched from their issuer.
type Remote interface {
	Keys

	// Used is called when one of the keys has verified a token. It starts a fetch
	// if the keys are due for one. If they were unused for so long that the key
	// may have been removed in the meantime, Used waits for the fetch. It reports
	// whether the current keys have changed since.
	Used(ctx context.Context) (changed bool, err error)

	// Seek is called when no key of seen verifies a token of the issuer. It starts a
	// fetch if one is allowed, or joins the fetch in progress, and waits for it. If
	// it returns nil, the current keys are the latest that can be known now. If it
	// returns an error, the current keys can have changed too.
	Seek(ctx context.Context, seen Set) error

	// Age returns how long ago the current keys were fetched, and false if there are
	// none.
	Age() (age time.Duration, held bool)

	// Close ends the fetch in progress and prevents others. The current keys stay.
	Close()
}

// A Set is the keys of an issuer at one moment. It never changes. Two sets are the
// same if they are equal as interface values.
type Set interface {
	// Find returns the keys that can have signed a token with header, in the order
	// in which they are to be tried: those with the kid and the algorithm of header,
	// and then named is true, or, if there are none at the given time, the keys of
	// the algorithm that were given no kid. For a header without kid these are all
	// keys of the algorithm. Some of them can have Expired. Callers must not change
	// the slice.
	Find(header jose.Header, at time.Time) (candidates []VerificationKey, named bool)

	// HasKeyID reports whether there is a key with the given kid at the given time.
	HasKeyID(id string, at time.Time) bool

	// Names returns the algorithm and the kid of each key at the given time, in the
	// order of the keys.
	Names(at time.Time) []KeyName

	// Secret returns the secret of a set that is a single HMAC key that can sign,
	// else nil.
	Secret() []byte

	// CanSign reports whether one of the keys can sign.
	CanSign() bool

	// JWKSet returns the public keys at the given time as a JWK Set (RFC 7517 §5).
	JWKSet(at time.Time) (*JWKSet, error)
}

// A KeyName is what the header of a token says about a key.
type KeyName struct {
	Algorithm string
	ID        string // the kid, empty if the key has none
	Any       bool   // the key verifies tokens whatever their kid is
}

// A JWKSet is an encoded JWK Set. It never changes.
type JWKSet struct {
	Body   []byte
	MaxAge time.Duration // how long clients may cache it
}

// A VerificationKey checks signatures.
type VerificationKey interface {
	// Verify reports whether signature is a signature of signingInput.
	Verify(signingInput string, signature []byte) bool

	// Expired reports whether the key no longer verifies at the given time: it was
	// retired and all tokens signed by it have expired, or it was limited to a time
	// that is over.
	Expired(at time.Time) bool
}

// A SigningKey signs tokens, and verifies them too.
type SigningKey interface {
	VerificationKey

	Algorithm() string // the alg of its tokens
	ID() string        // the kid of its tokens
	Sign(signingInput string) ([]byte, error)
}

// An UnavailableError says that a token cannot be judged, because the keys of its
// issuer could not be fetched.
type UnavailableError struct {
	Issuer string
	Retry  time.Duration // how long to wait before another attempt
	Cause  error
}

// Error names the issuer and the cause.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("keys: the keys of %s are unavailable: %v", e.Issuer, e.Cause)
}

// Unwrap returns errUnavailable and the cause.
func (e *UnavailableError) Unwrap() []error { return []error{errUnavailable, e.Cause} }

var errUnavailable = errors.New("keys are unavailable")

// AsUnavailable returns the UnavailableError in err, or nil if there is none.
func AsUnavailable(err error) *UnavailableError {
	if !errors.Is(err, errUnavailable) { // checked first, because errors.As allocates
		return nil
	}
	var unavailable *UnavailableError
	if errors.As(err, &unavailable) {
		return unavailable
	}
	return nil
}
