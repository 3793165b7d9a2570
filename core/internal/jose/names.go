package jose

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameSet notices when an object names a member twice. Names that differ only
// in case count as one, because encoding/json will take the one for the other
// when it decodes the same text into the application's type.
type nameSet struct {
	first  [12]string
	n      int
	seen   uint64          // a bit for each length and first letter among the names
	wide   bool            // a name has letters outside ASCII, so seen says nothing
	folded map[string]bool // all names, folded, once there are more than fit into first
}

// add reports whether name is new, and remembers it.
func (set *nameSet) add(name string) bool {
	bit, ascii := signature(name)
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

// signature returns one of 64 bits, the same for names equal but for case if
// both are ASCII, and whether name is.
func signature(name string) (bit uint64, ascii bool) {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return 0, false
		}
	}
	if name == "" {
		return 1, true
	}
	return 1 << ((uint(name[0]|0x20) + 7*uint(len(name))) % 64), true
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

// foldsTo reports whether name equals one of names but for case.
func foldsTo(name string, names []string) bool {
	for _, other := range names {
		if strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}
