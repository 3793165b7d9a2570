package jose

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth  = 32
	maxNumber = 128 // the length of a number, in bytes
)

var (
	errSyntax  = errors.New("jose: text is not JSON")
	errDepth   = errors.New("jose: JSON is nested too deeply")
	errUnicode = errors.New("jose: JSON string is not valid Unicode")
	errNumber  = errors.New("jose: JSON number is out of range")
	errTwice   = errors.New("jose: JSON object has two members whose names are equal or differ only in case")
	errFolded  = errors.New("jose: JSON object has a registered name in the wrong case")
	errType    = errors.New("jose: registered member has the wrong type")
)

// kind is the type of a JSON value.
type kind uint8

const (
	none kind = iota // no value: an absent member
	null
	boolean
	number
	text
	array
	object
)

// A value is a JSON value that is known to be well-formed.
type value struct {
	kind  kind
	plain bool   // a string of printable ASCII without escapes
	raw   string // its text, with quotes or brackets
}

// A document is a JSON text (RFC 8259). Each method reads the element at the given
// position and returns the position after it. The position is a parameter and not a
// field, because the compiler can keep it in a register.
type document string

// value reads a value that is nested depth levels deep.
func (d document) value(at, depth int) (value, int, error) {
	if depth > maxDepth {
		return value{}, at, errDepth
	}
	at = d.space(at)
	end, k, plain := at, none, false
	var err error
	switch c := d.peek(at); {
	case c == '"':
		k = text
		end, plain, err = d.string(at)
	case c == '{':
		k = object
		end, err = d.object(at, depth)
	case c == '[':
		k = array
		end, err = d.array(at, depth)
	case c == '-' || isDigit(c):
		k = number
		end, err = d.number(at)
	case d.has(at, "true"):
		k, end = boolean, at+len("true")
	case d.has(at, "false"):
		k, end = boolean, at+len("false")
	case d.has(at, "null"):
		k, end = null, at+len("null")
	default:
		err = errSyntax
	}
	if err != nil {
		return value{}, at, err
	}
	return value{k, plain, string(d[at:end])}, end, nil
}

func (d document) object(at, depth int) (int, error) {
	m := members{document: d, at: at, depth: depth, names: nameSet{exact: true}}
	err := m.open()
	for err == nil {
		var v value
		if _, v, err = m.next(); v.kind == none {
			break
		}
	}
	return m.at, err
}

func (d document) array(at, depth int) (int, error) {
	at = d.space(at + 1)
	if d.peek(at) == ']' {
		return at + 1, nil
	}
	for {
		var err error
		if _, at, err = d.value(at, depth+1); err != nil {
			return at, err
		}
		at = d.space(at)
		switch d.peek(at) {
		case ',':
			at++
		case ']':
			return at + 1, nil
		default:
			return at, errSyntax
		}
	}
}

// string reads a string. The string is plain if it consists of printable ASCII
// characters and has no escapes.
func (d document) string(at int) (end int, plain bool, err error) {
	if d.peek(at) != '"' {
		return at, false, errSyntax
	}
	end = at + 1 + plainLength(string(d[at+1:]))
	if d.peek(end) == '"' {
		return end + 1, true, nil
	}
	end, err = d.otherString(at, end)
	return end, false, err
}

// otherString reads a string that begins at start and is plain only until at.
func (d document) otherString(start, at int) (end int, err error) {
	for at < len(d) {
		switch c := d[at]; {
		case c == '"':
			if !utf8.ValidString(string(d[start:at])) {
				return at, errUnicode
			}
			return at + 1, nil
		case c == '\\':
			if at, err = d.escape(at); err != nil {
				return at, err
			}
		case c < ' ':
			return at, errSyntax
		default:
			at++
		}
	}
	return at, errSyntax
}

// plainLength returns the number of bytes of text before the first one that is a
// quotation mark, a backslash or not printable ASCII.
func plainLength(text string) int {
	n := 0
	for ; n+8 <= len(text); n += 8 {
		if special := specials(text[n : n+8]); special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	for ; n < len(text); n++ {
		if c := text[n]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			break
		}
	}
	return n
}

// specials checks eight bytes at once. The lowest byte of the result that is not zero
// is at the place of the first byte that is not plain. If all are plain, the result is
// zero.
func specials(eight string) uint64 {
	const each = 0x01_01_01_01_01_01_01_01
	w := binary.LittleEndian.Uint64([]byte(eight))
	quotes, backslashes := w^each*'"', w^each*'\\'
	// A term has the high bit of a byte set if the byte is not ASCII, or if it is less
	// than a space, DEL, a quotation mark or a backslash, in this order.
	return (w | (w - each*' ') | (w + each) | (quotes - each) | (backslashes - each)) & (each << 7)
}

// escape reads an escape. It refuses half of a surrogate pair, because decoders replace
// it by another character, and two different names can then become equal.
func (d document) escape(at int) (int, error) {
	switch d.peek(at + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2, nil
	case 'u':
	default:
		return at, errSyntax
	}
	r, at, ok := d.hex4(at + 2)
	if !ok {
		return at, errSyntax
	}
	if !utf16.IsSurrogate(r) {
		return at, nil
	}
	if !d.has(at, `\u`) {
		return at, errUnicode
	}
	low, at, ok := d.hex4(at + 2)
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return at, errUnicode
	}
	return at, nil
}

func (d document) hex4(at int) (rune, int, bool) {
	if len(d)-at < 4 {
		return 0, at, false
	}
	n, err := strconv.ParseUint(string(d[at:at+4]), 16, 16)
	return rune(n), at + 4, err == nil
}

func (d document) number(at int) (int, error) {
	start := at
	if d.peek(at) == '-' {
		at++
	}
	whole := at
	at = d.digits(at)
	if at == whole || d[whole] == '0' && at > whole+1 {
		return at, errSyntax
	}
	if d.peek(at) == '.' {
		fraction := at + 1
		if at = d.digits(fraction); at == fraction {
			return at, errSyntax
		}
	}
	if c := d.peek(at); c == 'e' || c == 'E' {
		at++
		if c := d.peek(at); c == '+' || c == '-' {
			at++
		}
		exponent := at
		if at = d.digits(exponent); at == exponent {
			return at, errSyntax
		}
		// A number of at most maxNumber bytes without an exponent is in the range
		// of a float64.
		if _, err := strconv.ParseFloat(string(d[start:at]), 64); err != nil {
			return at, errNumber
		}
	}
	if at-start > maxNumber {
		return at, errNumber
	}
	return at, nil
}

func (d document) digits(at int) int {
	for at < len(d) && isDigit(d[at]) {
		at++
	}
	return at
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// has reports whether word is next.
func (d document) has(at int, word string) bool { return strings.HasPrefix(string(d[at:]), word) }

// space skips white space.
func (d document) space(at int) int {
	for at < len(d) && d[at] <= ' ' && (d[at] == ' ' || d[at] == '\n' || d[at] == '\t' || d[at] == '\r') {
		at++
	}
	return at
}

// peek returns the byte at the position at, or 0 at the end of the document. No JSON
// element begins with 0.
func (d document) peek(at int) byte {
	if at < len(d) {
		return d[at]
	}
	return 0
}
