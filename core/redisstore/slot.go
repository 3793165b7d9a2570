package redisstore

import "github.com/jwtgate/jwtgate/core/session"

// schema is the version of what is kept, and how. Another one has keys of its own.
const schema = "1"

// slots are parts of a Store: each has the sessions of some subjects, the lists
// of them, and the stream of what is revoked, so that every step is about one
// slot. There are as many as a small cluster can share out evenly, and few enough
// for every process to follow all of their streams. Their number is in no key, but
// it is as fixed as [schema].
//
// In a cluster, these hash tags have CRC16s in the middles of 16 equal parts of
// the key space.
var slots = [16]string{
	"0-ggf", "1-ddu", "2-hxx", "3-crs", "4-cb0", "5-qc3", "6-dt6", "7-vu5",
	"8-b4v", "9-asm", "10-awx", "11-btk", "12-f4t", "13-eso", "14-t46", "15-f55",
}

// A slot is the name that all its keys begin with.
type slot string

func newSlot(prefix string, i int) slot {
	return slot(prefix + ":" + schema + ":{" + slots[i] + "}")
}

// slotOf returns the slot of all that has to do with the subjects of number n, as
// [session.SlotOf] and [session.ID.Slot] have it.
func (s *Store) slotOf(n uint16) slot { return s.slots[int(n)%len(s.slots)] }

// The keys, as the scripts make them too.
func (s slot) session(id session.ID) string  { return string(s) + ":session:" + id.String() }
func (s slot) subject(subject string) string { return string(s) + ":subject:" + subject }
func (s slot) stream() string                { return string(s) + ":revocations" }
func (s slot) origin() string                { return string(s) + ":origin" }
