package jose

import (
	"slices"
	"strings"
	"unicode"
)

// A nameSet is the set of the names of an object's members. It detects names that occur
// twice. Names that differ only in case count as equal, because encoding/json ignores
// case when it decodes the same object into a type of the application.
type nameSet struct {
	exact  bool // names that differ in case are two
	first  [12]string
	n      int
	seen   uint64          // the bits of the names: a name whose bit is not in it is new
	wide   bool            // a name may have letters outside ASCII, so seen cannot be used
	folded map[string]bool // all names, folded; nil while first has room
}

// add adds name and reports whether it is new. If ascii is true, name has no letters
// outside ASCII.
func (set *nameSet) add(name string, ascii bool) bool {
	bit := bitOf(name)
	set.wide = set.wide || !ascii
	surelyNew := set.seen&bit == 0 && (set.exact || !set.wide)
	set.seen |= bit
	if set.folded != nil {
		name = set.fold(name)
		if set.folded[name] {
			return false
		}
		set.folded[name] = true
		return true
	}
	if !surelyNew {
		for _, other := range set.first[:set.n] {
			if other == name || !set.exact && strings.EqualFold(other, name) {
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
		set.folded[set.fold(other)] = true
	}
	set.folded[set.fold(name)] = true
	return true
}

// fold returns the same text for all names that count as one.
func (set *nameSet) fold(name string) string {
	if set.exact {
		return name
	}
	return fold(name)
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

// fold returns the same text for all names that are equal under strings.EqualFold.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		return smallest
	}, name)
}

// registered has the names of the members of an object that are used.
type registered struct {
	names []string
	bits  uint64 // of all of them
}

func register(names ...string) registered {
	r := registered{names: names}
	for _, name := range names {
		r.bits |= bitOf(name)
	}
	return r
}

// respells reports whether name, which was added to set and is not spelled as a name of
// r, differs only in case from one of them.
func (set *nameSet) respells(name string, r *registered) bool {
	if !set.wide && r.bits&bitOf(name) == 0 {
		return false
	}
	return r.contains(name)
}

// contains reports whether name is equal to a name of r, ignoring case.
func (r *registered) contains(name string) bool {
	return slices.ContainsFunc(r.names, func(other string) bool { return strings.EqualFold(other, name) })
}
