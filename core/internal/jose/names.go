package jose

import (
	"strings"
	"unicode"
)

// nameSet notices when an object names a member twice. Names that differ only
// in case count as one, because encoding/json will take the one for the other
// when it decodes the same text into the application's type.
type nameSet struct {
	first  [12]string
	n      int
	seen   uint64          // the bits of the names: one whose bit is missing is new
	wide   bool            // a name may have letters outside ASCII, so seen says nothing
	folded map[string]bool // all names, folded, once there are more than fit into first
}

// add reports whether name is new, and remembers it. ascii says that it surely
// has no letters outside ASCII.
func (set *nameSet) add(name string, ascii bool) bool {
	bit := bitOf(name)
	set.wide = set.wide || !ascii
	surelyNew := set.seen&bit == 0 && !set.wide
	set.seen |= bit
	if set.folded != nil {
		name = fold(name)
		if set.folded[name] {
			return false
		}
		set.folded[name] = true
		return true
	}
	if !surelyNew {
		for _, other := range set.first[:set.n] {
			if strings.EqualFold(other, name) {
				return false
			}
		}
	}
	if set.n < len(set.first) {
		set.first[set.n] = name
		set.n++
		return true
	}
	set.folded = make(map[string]bool, 2*len(set.first))
	for _, other := range set.first {
		set.folded[fold(other)] = true
	}
	set.folded[fold(name)] = true
	return true
}

// bitOf returns one of 64 bits, the same for names that are equal but for
// case if both are ASCII.
func bitOf(name string) uint64 {
	if name == "" {
		return 1
	}
	first, last := uint(name[0]|0x20), uint(name[len(name)-1]|0x20)
	return 1 << ((first + 5*last + 7*uint(len(name))) % 64)
}

// fold returns the same text for all names that strings.EqualFold holds equal.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		return smallest
	}, name)
}

// respells reports whether name, which is in the set, equals one of names but
// for case.
func (set *nameSet) respells(name string, names []string) bool {
	for _, other := range names {
		if (set.wide || len(other) == len(name)) && strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}
