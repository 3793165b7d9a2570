package jose

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A nameSet is the set of the names of an object's members. It detects names that occur
// twice. Among claims, names that differ only in case count as equal, because encoding/json
// ignores case when it decodes the claims into a type of the application.
type nameSet struct {
	exact  bool            // names that differ in case are two
	wide   bool            // a name has letters outside ASCII, which can be equal to letters in ASCII
	seen   uint64          // the bits of the names: a name whose bit is not in it is new
	n      int             // how many names are in first
	first  [12]string      // the first names
	long   [12]uint64      // the hashes of those of them that are long, without wide
	hashes map[uint64]bool // of all names; nil while first has room
}

// longName is the length from which names are compared by their hashes: comparing long
// names with each other would take longer than to check a signature.
const longName = 24

// add adds name and reports whether it is new. If plain is true, name is in ASCII.
func (set *nameSet) add(name string, plain bool) bool {
	bit := bitOf(name)
	set.wide = set.wide || !plain && !isASCII(name)
	surelyNew := set.seen&bit == 0 && (set.exact || !set.wide)
	set.seen |= bit
	if set.hashes != nil {
		return set.addHash(name)
	}
	if set.n == len(set.first) {
		set.hashes = make(map[uint64]bool, 4*len(set.first))
		for _, other := range set.first {
			set.addHash(other)
		}
		return set.addHash(name)
	}
	if len(name) >= longName && !set.exact && !set.wide {
		hash := hashFolded(name)
		if slices.Contains(set.long[:set.n], hash) {
			return false
		}
		set.long[set.n] = hash
	} else if !surelyNew && set.has(name) {
		return false
	}
	set.first[set.n] = name
	set.n++
	return true
}

// has reports whether name is among the first names.
func (set *nameSet) has(name string) bool {
	for _, other := range set.first[:set.n] {
		if other == name || !set.exact && (set.wide || len(other) == len(name)) && strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

// nameSeed is random, so that nobody can find two names with the same hash.
var nameSeed = maphash.MakeSeed()

// addHash adds the hash of name to the others and reports whether it is new.
func (set *nameSet) addHash(name string) bool {
	var hash uint64
	if set.exact {
		hash = maphash.String(nameSeed, name)
	} else {
		hash = hashFolded(name)
	}
	if set.hashes[hash] {
		return false
	}
	set.hashes[hash] = true
	return true
}

// bitOf returns one of 64 bits, the same for names that are equal but for
// case if both are ASCII. Few of the names that tokens usually have share one.
func bitOf(name string) uint64 {
	if name == "" {
		return 1
	}
	first, last := uint(name[0]|0x20), uint(name[len(name)-1]|0x20)
	return 1 << ((first + 12*last + 28*uint(len(name))) % 64)
}

// hashFolded returns the same hash for all names that are equal under strings.EqualFold.
func hashFolded(name string) uint64 {
	if !isASCII(name) {
		name = fold(name)
	}
	var hash uint64
	for len(name) > 0 {
		var text [64]byte
		n := copy(text[:], name)
		upper(text[:])
		hash = hash*31 + maphash.Bytes(nameSeed, text[:n]) // each is random
		name = name[n:]
	}
	return hash
}

// upper changes the letters of ASCII text to upper case, eight at a time. The length of
// the text is a multiple of eight.
func upper(text []byte) {
	const each = 0x0101010101010101
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		// The high bit of a byte is set if it is at least a, and if it is more than z.
		fromA, afterZ := word+(0x80-'a')*each, word+(0x7f-'z')*each
		lower := (fromA &^ afterZ) & (0x80 * each)
		binary.LittleEndian.PutUint64(text, word-lower>>2) // 0x20 is what differs
	}
}

// fold returns the same text for all names that are equal under strings.EqualFold: each
// letter becomes the first in Unicode of those that differ in case only. For letters of
// ASCII, that is the upper case.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		return smallest
	}, name)
}

func isASCII(text string) bool {
	var all byte
	for i := range len(text) {
		all |= text[i]
	}
	return all < utf8.RuneSelf
}

// respells reports whether name, which was added to set and is not spelled as one of
// names, differs only in case from one of them.
func (set *nameSet) respells(name string, names *Names) bool { return names.has(name, !set.wide) }
