package jose

import (
	"slices"
	"strings"
)

// Names are the names of the members of an object that are used.
type Names struct {
	names []string
	bits  uint64 // of all of them, as of bitOf
}

// NewNames returns the given names. Whether they are in upper or lower case does not
// matter.
func NewNames(names ...string) Names {
	n := Names{names: names}
	for _, name := range names {
		if n.bits |= bitOf(name); !isASCII(name) {
			n.bits = ^uint64(0) // bitOf does not know which names are equal to it
		}
	}
	return n
}

// has is contains, in less time for most names. If plain is true, name is in ASCII.
func (n *Names) has(name string, plain bool) bool {
	return (!plain || n.bits&bitOf(name) != 0) && n.contains(name)
}

// contains reports whether name is one of n, ignoring case.
func (n *Names) contains(name string) bool {
	return slices.ContainsFunc(n.names, func(other string) bool { return strings.EqualFold(other, name) })
}

// Select returns the members of object whose names are in names, as an object. The
// object must be one that [Claims.Parse] has read without an error.
func Select(object string, names *Names) []byte {
	selected := append(make([]byte, 0, len(object)), '{')
	d := document(object)
	for at := d.space(0) + 1; ; {
		start := d.space(at)
		if d.peek(start) == '}' {
			return append(selected, '}')
		}
		end, plain, err := d.string(start)
		if err != nil {
			return nil
		}
		name := value{text, plain, object[start:end]}
		if _, at, err = d.value(d.space(end)+1, 0); err != nil {
			return nil
		}
		if names.has(name.string(), plain) {
			if len(selected) > 1 {
				selected = append(selected, ',')
			}
			selected = append(selected, object[start:at]...)
		}
		if at = d.space(at); d.peek(at) == ',' {
			at++
		}
	}
}
