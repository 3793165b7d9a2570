package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// An ID names a session: the sid claim of its access tokens. It is no secret.
//
// It begins with the subject's slot, so that whoever holds an ID knows where
// its record and all other records of the subject are kept.
type ID [18]byte

// NewID returns a new ID for a session of subject.
func NewID(subject string) ID {
	var id ID
	binary.BigEndian.PutUint16(id[:2], SlotOf(subject))
	_, _ = rand.Read(id[2:]) // never fails
	return id
}

// ParseID returns the ID that s is the text of, and false if it is none.
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

// String returns the text of id: 24 characters, safe in a URL.
func (id ID) String() string { return encoding.EncodeToString(id[:]) }

// Slot returns the slot of the subject that the session belongs to.
func (id ID) Slot() uint16 { return binary.BigEndian.Uint16(id[:2]) }

// SlotOf returns the slot of subject: the same number at all times, on every
// machine. Stores spread by it what they keep.
func SlotOf(subject string) uint16 {
	digest := sha256.Sum256([]byte(subject))
	return binary.BigEndian.Uint16(digest[:2])
}

var encoding = base64.RawURLEncoding.Strict()
