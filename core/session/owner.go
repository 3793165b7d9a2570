package session

import (
	"crypto/sha256"
	"encoding/binary"
)

// An Owner is whose session it is: a subject of an issuer, signed in for an
// audience. Two owners are the same if all three parts are, byte for byte. The
// parts can have any bytes, so a store that joins them must keep the lengths, too.
// The subject is not empty.
type Owner struct {
	Issuer   string
	Audience string
	Subject  string
}

// Slot returns the slot of o, a hash that is the same on every machine and in every
// version of this package. Stores can distribute their records by slot.
func (o Owner) Slot() uint16 {
	hash := sha256.New()
	for _, part := range [...]string{o.Issuer, o.Audience, o.Subject} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return binary.BigEndian.Uint16(hash.Sum(nil))
}
