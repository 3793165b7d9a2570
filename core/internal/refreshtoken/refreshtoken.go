// Package refreshtoken encodes and decodes refresh tokens.
//
// A refresh token is opaque to clients. It has the ID of a session, the nonce of the
// session, which is secret, and a generation number. A MAC protects it, so that a
// forged token is refused without a call of the session store.
package refreshtoken

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/jwtgate/jwtgate/core/session"
)

// A Token is the content of a refresh token.
type Token struct {
	ID         session.ID
	Nonce      Nonce
	Generation uint32
}

// Presented returns t in the form that [session.Step] takes.
func (t Token) Presented() session.Presented {
	return session.Presented{ID: t.ID, NonceHash: t.Nonce.Hash(), Generation: t.Generation}
}

// A Nonce is the secret of a session: 16 random bytes in each of its refresh
// tokens. The session store has only its hash.
type Nonce [16]byte

// NewNonce returns a random Nonce.
func NewNonce() Nonce {
	var n Nonce
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// Hash returns the SHA-256 of n, which is what a [session.Record] has.
func (n Nonce) Hash() [32]byte { return sha256.Sum256(n[:]) }

// The text of a refresh token always has the same length. It is a prefix, which secret
// scanners can search for, followed by the base64url of
//
//	key ID (4) | session ID (18) | nonce (16) | generation (4) | HMAC-SHA-256 of the bytes before (32)
const (
	prefix = "jgr1_"

	keyIDSize  = 4
	bodySize   = keyIDSize + len(session.ID{}) + len(Nonce{}) + 4
	signedSize = bodySize + sha256.Size
	textSize   = len(prefix) + (signedSize*8+5)/6
)

// encoding accepts one text for each value.
var encoding = base64.RawURLEncoding.Strict()

// MinKeySize is the least length of a secret, in bytes.
const MinKeySize = 32

// ErrInvalid is the error of [Codec.Decode] for every token that it refuses. It has
// no details, which would help an attacker.
var ErrInvalid = errors.New("jwtgate: not a refresh token of this server")

// A Codec encodes and decodes refresh tokens. It is safe for concurrent use.
type Codec struct {
	keys []*key // the first is for new tokens, all are accepted
}

type key struct {
	id    [keyIDSize]byte
	macs  sync.Pool // of *mac: making one takes as long as using it
	nonce []byte    // the key that derives nonces
}

// New returns a Codec with keys derived from secrets, each of at least [MinKeySize]
// bytes. The first is for new tokens, all are accepted. The keys are also derived from
// issuer and audience, so that a token for another application is refused, even if
// both have the same secret.
func New(issuer, audience string, secrets ...[]byte) (*Codec, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret is given")
	}
	c := &Codec{}
	// The length keeps apart what the two names do not.
	application := fmt.Sprintf(" %d %s%s", len(issuer), issuer, audience)
	for _, secret := range secrets {
		if len(secret) < MinKeySize {
			return nil, fmt.Errorf("a secret has %d bytes: use at least %d", len(secret), MinKeySize)
		}
		// The labels make these keys differ from all others derived from the secret.
		macKey, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1"+application, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		id, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1 kid"+application, keyIDSize)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		nonceKey, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1 nonce"+application, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		c.keys = append(c.keys, &key{
			id:    [keyIDSize]byte(id),
			macs:  sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, macKey)} }},
			nonce: nonceKey,
		})
	}
	return c, nil
}

// Encode returns the text of t. Every call returns the same text, so that a lost
// response can be repeated.
func (c *Codec) Encode(t Token) string {
	key := c.keys[0]
	var signed [signedSize]byte
	raw := append(signed[:0], key.id[:]...)
	raw = append(raw, t.ID[:]...)
	raw = append(raw, t.Nonce[:]...)
	raw = binary.BigEndian.AppendUint32(raw, t.Generation)
	sum := key.sum([bodySize]byte(raw))
	raw = append(raw, sum[:]...)
	var text [textSize]byte
	return string(encoding.AppendEncode(append(text[:0], prefix...), raw))
}

// Decode returns the content of text, or [ErrInvalid] if its MAC was not made with one
// of the keys.
func (c *Codec) Decode(text string) (Token, error) {
	encoded, found := strings.CutPrefix(text, prefix)
	if !found || len(text) != textSize {
		return Token{}, ErrInvalid
	}
	var raw [signedSize]byte
	if n, err := encoding.Decode(raw[:], []byte(encoded)); err != nil || n != signedSize {
		return Token{}, ErrInvalid
	}
	body := [bodySize]byte(raw[:])
	for _, key := range c.keys {
		if [keyIDSize]byte(body[:]) != key.id {
			continue
		}
		if sum := key.sum(body); hmac.Equal(sum[:], raw[bodySize:]) {
			rest := body[keyIDSize:]
			return Token{
				ID:         session.ID(rest),
				Nonce:      Nonce(rest[len(session.ID{}):]),
				Generation: binary.BigEndian.Uint32(rest[len(session.ID{})+len(Nonce{}):]),
			}, nil
		}
	}
	return Token{}, ErrInvalid
}

// DerivedNonce returns a nonce for the session id that is derived from the first
// secret. The refresh token of such a session can be issued again without the client
// presenting it. Use [NewNonce] where that is not needed, because everyone who has the
// secret can compute a derived nonce.
func (c *Codec) DerivedNonce(id session.ID) Nonce { return c.keys[0].derive(id) }

// NonceOf returns the nonce of id that has the given hash, and false if it was not
// derived from any of the secrets.
func (c *Codec) NonceOf(id session.ID, hash [32]byte) (Nonce, bool) {
	for _, key := range c.keys {
		if nonce := key.derive(id); nonce.Hash() == hash {
			return nonce, true
		}
	}
	return Nonce{}, false
}

func (k *key) derive(id session.ID) Nonce {
	derived := hmac.New(sha256.New, k.nonce)
	derived.Write(id[:])
	return Nonce(derived.Sum(nil))
}

// sum returns the MAC of body.
func (k *key) sum(body [bodySize]byte) [sha256.Size]byte {
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	m.body = body
	m.hash.Reset()
	m.hash.Write(m.body[:])
	return [sha256.Size]byte(m.hash.Sum(m.sum[:0]))
}

// A mac is an HMAC with buffers for its input and output, which would otherwise be
// allocated, because they are passed to an interface.
type mac struct {
	hash hash.Hash
	body [bodySize]byte
	sum  [sha256.Size]byte
}
