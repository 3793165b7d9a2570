package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// An ID identifies a session. It is the sid claim of the session's access
// tokens. An ID is not secret.
//
// An ID begins with the slot of the subject, so that a store can find from the
// ID alone where it keeps the records of the subject.
type ID [18]byte

// NewID returns a new ID for a session of subject.
func NewID(subject string) ID {
	var id ID
	binary.BigEndian.PutUint16(id[:2], SlotOf(subject))
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

// Slot returns the slot of the subject that the session belongs to.
func (id ID) Slot() uint16 { return binary.BigEndian.Uint16(id[:2]) }

// SlotOf returns the slot of subject, a hash that is the same on every machine
// and in every version of this package. Stores distribute their records by
// slot.
func SlotOf(subject string) uint16 {
	digest := sha256.Sum256([]byte(subject))
	return binary.BigEndian.Uint16(digest[:2])
}

var encoding = base64.RawURLEncoding.Strict()
