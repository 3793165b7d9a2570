package redisstore

import (
	"fmt"
	"hash/fnv"

	"github.com/jwtgate/jwtgate/core/session"
)

// schema is the version of the layout of the keys and their values. Stores with
// different versions use different keys.
const schema = "2"

// slots are the hash tags of the slots of a Store. Each slot has the sessions
// of some owners, the indexes of these owners, and a stream of revocations,
// so that every step needs one slot only. There are enough slots for a small
// cluster to spread them evenly, and few enough for every process to read all
// of their streams. Their number must not change without [schema].
//
// In a cluster, the hash slots of these tags are in the middles of 16 equal
// parts of the key space.
var slots = [16]string{
	"0-ggf", "1-ddu", "2-hxx", "3-crs", "4-cb0", "5-qc3", "6-dt6", "7-vu5",
	"8-b4v", "9-asm", "10-awx", "11-btk", "12-f4t", "13-eso", "14-t46", "15-f55",
}

// A slot is the beginning of the names of all its keys.
type slot string

func newSlot(prefix string, i int) slot {
	return slot(prefix + ":" + schema + ":{" + slots[i] + "}")
}

// slotOf returns the slot of the owners with number n, which [session.Owner.Slot]
// and [session.ID.Slot] return.
func (s *Store) slotOf(n uint16) slot { return s.slots[int(n)%len(s.slots)] }

// slotNamed returns a slot for a revocation of name.
func (s *Store) slotNamed(name string) slot {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	return s.slots[hash.Sum32()%uint32(len(s.slots))]
}

// These methods return the names of keys. The scripts build the same names.
func (s slot) session(id session.ID) string { return string(s) + ":session:" + id.String() }
func (s slot) owner(o session.Owner) string {
	return fmt.Sprintf("%s:owner:%d:%d:%s%s%s", string(s), len(o.Issuer), len(o.Audience), o.Issuer, o.Audience, o.Subject)
}
func (s slot) stream() string  { return string(s) + ":revocations" }
func (s slot) origin() string  { return string(s) + ":origin" }
func (s slot) barrier() string { return string(s) + ":barrier" }
