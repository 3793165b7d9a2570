package redisstore

import "github.com/jwtgate/jwtgate/core/session"

// schema is the version of the layout of the keys and their values. Stores with
// different versions use different keys.
const schema = "1"

// slots are the hash tags of the slots of a Store. Each slot has the sessions
// of some subjects, the indexes of these subjects, and a stream of revocations,
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

// slotOf returns the slot of the subjects with number n, which [session.SlotOf]
// and [session.ID.Slot] return.
func (s *Store) slotOf(n uint16) slot { return s.slots[int(n)%len(s.slots)] }

// These methods return the names of keys. The scripts build the same names.
func (s slot) session(id session.ID) string  { return string(s) + ":session:" + id.String() }
func (s slot) subject(subject string) string { return string(s) + ":subject:" + subject }
func (s slot) stream() string                { return string(s) + ":revocations" }
func (s slot) origin() string                { return string(s) + ":origin" }
func (s slot) barrier() string               { return string(s) + ":barrier" }
