package session

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// A Nonce is the secret of a session: 16 random bytes in each of its refresh
// tokens. The store knows its hash.
type Nonce [16]byte

// NewNonce returns a random Nonce.
func NewNonce() Nonce {
	var n Nonce
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// Hash returns the SHA-256 of n, which is what a [Record] keeps.
func (n Nonce) Hash() [32]byte { return sha256.Sum256(n[:]) }

// A Token is what a refresh token says.
type Token struct {
	ID         ID
	Nonce      Nonce
	Generation uint32
}

// Presented returns t as [Step] looks at it.
func (t Token) Presented() Presented {
	return Presented{ID: t.ID, NonceHash: t.Nonce.Hash(), Generation: t.Generation}
}

// A refresh token is text of one length: a prefix that secret scanners can look
// for, then the base64url of
//
//	key (4) | id (18) | nonce (16) | generation (4) | HMAC-SHA-256 of all before (32)
const (
	tokenPrefix = "jgr1_"

	keyIDSize  = 4
	bodySize   = keyIDSize + len(ID{}) + len(Nonce{}) + 4
	signedSize = bodySize + sha256.Size
	tokenSize  = len(tokenPrefix) + (signedSize*8+5)/6
)

// MinKeySize is the length of the shortest secret for a [Codec], in bytes.
const MinKeySize = 32

// ErrToken is why [Codec.Parse] refuses a token. It does not say more: who made
// the token up must not learn from it.
var ErrToken = errors.New("session: not a refresh token of ours")

// A Codec makes refresh tokens and reads them back. It is safe for concurrent use.
type Codec struct {
	keys []*codecKey // the first one makes tokens, all read them
}

type codecKey struct {
	id    [keyIDSize]byte
	macs  sync.Pool // of *codecMAC: to set one up costs as much as to use it
	nonce []byte    // derives nonces
}

// NewCodec returns a Codec of secrets, each of at least [MinKeySize] bytes: the
// first makes tokens, all are good for reading. To change the secret, put the
// new one behind the old one in every process, then in front of it, and drop the
// old one when the longest session is over.
func NewCodec(secrets ...[]byte) (*Codec, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret is given")
	}
	c := &Codec{}
	for _, secret := range secrets {
		if len(secret) < MinKeySize {
			return nil, fmt.Errorf("a secret has %d bytes: use at least %d", len(secret), MinKeySize)
		}
		// The name makes the keys differ from any others made of the same secret.
		mac, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		id, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1 kid", keyIDSize)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		nonce, err := hkdf.Key(sha256.New, secret, nil, "jwtgate refresh token 1 nonce", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		c.keys = append(c.keys, &codecKey{
			id:    [keyIDSize]byte(id),
			macs:  sync.Pool{New: func() any { return &codecMAC{hash: hmac.New(sha256.New, mac)} }},
			nonce: nonce,
		})
	}
	return c, nil
}

// Encode returns the refresh token that says t. It is the same text whenever it
// is made of the same t, so that a lost answer can be given again.
func (c *Codec) Encode(t Token) string {
	key := c.keys[0]
	var signed [signedSize]byte
	raw := append(signed[:0], key.id[:]...)
	raw = append(raw, t.ID[:]...)
	raw = append(raw, t.Nonce[:]...)
	raw = binary.BigEndian.AppendUint32(raw, t.Generation)
	sum := key.sum([bodySize]byte(raw))
	raw = append(raw, sum[:]...)
	var text [tokenSize]byte
	return string(encoding.AppendEncode(append(text[:0], tokenPrefix...), raw))
}

// Parse returns what token says if it is ours to the last bit, else [ErrToken].
func (c *Codec) Parse(token string) (Token, error) {
	text, found := strings.CutPrefix(token, tokenPrefix)
	if !found || len(token) != tokenSize {
		return Token{}, ErrToken
	}
	var raw [signedSize]byte
	if n, err := encoding.Decode(raw[:], []byte(text)); err != nil || n != signedSize {
		return Token{}, ErrToken
	}
	body := [bodySize]byte(raw[:])
	for _, key := range c.keys {
		if [keyIDSize]byte(body[:]) != key.id {
			continue
		}
		if sum := key.sum(body); hmac.Equal(sum[:], raw[bodySize:]) {
			rest := body[keyIDSize:]
			return Token{
				ID:         ID(rest),
				Nonce:      Nonce(rest[len(ID{}):]),
				Generation: binary.BigEndian.Uint32(rest[len(ID{})+len(Nonce{}):]),
			}, nil
		}
	}
	return Token{}, ErrToken
}

// Nonce returns a nonce for the session id that DeriveNonce finds again, for
// sessions whose refresh token may have to be made anew without being shown.
// Who has the secret can make it too, so prefer [NewNonce] where that is not needed.
func (c *Codec) Nonce(id ID) Nonce { return c.keys[0].derive(id) }

// DeriveNonce returns the nonce for id that has the given hash, and false if it
// was not made by Nonce under any of the secrets.
func (c *Codec) DeriveNonce(id ID, hash [32]byte) (Nonce, bool) {
	for _, key := range c.keys {
		if nonce := key.derive(id); nonce.Hash() == hash {
			return nonce, true
		}
	}
	return Nonce{}, false
}

func (k *codecKey) derive(id ID) Nonce {
	mac := hmac.New(sha256.New, k.nonce)
	mac.Write(id[:])
	return Nonce(mac.Sum(nil))
}

// sum returns the MAC of body.
func (k *codecKey) sum(body [bodySize]byte) [sha256.Size]byte {
	mac := k.macs.Get().(*codecMAC)
	defer k.macs.Put(mac)
	mac.body = body
	mac.hash.Reset()
	mac.hash.Write(mac.body[:])
	return [sha256.Size]byte(mac.hash.Sum(mac.sum[:0]))
}

// codecMAC is an HMAC with room for what goes in and out: what is handed to a
// hash.Hash cannot stay on the stack.
type codecMAC struct {
	hash hash.Hash
	body [bodySize]byte
	sum  [sha256.Size]byte
}
