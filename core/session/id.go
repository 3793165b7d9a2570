package session

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
)

// An ID identifies a session. It is the sid claim of the session's access
// tokens. An ID is not secret.
//
// An ID begins with the slot of the owner, so that a store can find from the ID
// alone where it keeps the records of the owner.
type ID [18]byte

// NewID returns a new ID for a session of owner.
func NewID(owner Owner) ID {
	var id ID
	binary.BigEndian.PutUint16(id[:2], owner.Slot())
	_, _ = rand.Read(id[2:]) // never fails
	return id
}

// ParseID parses the text that [ID.String] returns. It returns false if s is
// not such a text.
func ParseID(s string) (ID, bool) {
	var id ID
	if len(s) != encoding.EncodedLen(len(id)) {
		return ID{}, false
	}
	if n, err := encoding.Decode(id[:], []byte(s)); err != nil || n != len(id) {
		return ID{}, false
	}
	return id, true
}

// String returns id in base64url, which is 24 characters long.
func (id ID) String() string { return encoding.EncodeToString(id[:]) }

// Slot returns the slot of the owner that the session belongs to: see [Owner.Slot].
func (id ID) Slot() uint16 { return binary.BigEndian.Uint16(id[:2]) }

var encoding = base64.RawURLEncoding.Strict()
