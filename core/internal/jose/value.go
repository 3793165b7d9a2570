package jose

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
)

// text returns the value of a string. It refuses control characters: identifiers do not
// need them, and they are dangerous in logs and headers.
func (v value) text() (string, error) {
	if v.kind != text {
		return "", errType
	}
	s := v.string()
	if v.plain {
		return s, nil
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", errType
		}
	}
	return s, nil
}

// date returns the value of a NumericDate (RFC 7519 §2) in whole seconds, rounded down.
// It refuses a negative one.
func (v value) date() (int64, error) {
	if v.kind != number {
		return 0, errType
	}
	if n, ok := v.digits(); ok {
		return n, nil
	}
	if n, err := strconv.ParseInt(v.raw, 10, 64); err == nil {
		if n < 0 {
			return 0, errNumber
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(v.raw, 64)
	if err != nil || f < 0 || f >= 1<<53 {
		return 0, errNumber
	}
	return int64(math.Floor(f)), nil
}

// digits returns the value of a number that consists of at most 18 digits, and false
// for any other.
func (v value) digits() (n int64, ok bool) {
	for i := range len(v.raw) {
		if v.raw[i] < '0' || v.raw[i] > '9' {
			return 0, false
		}
		n = 10*n + int64(v.raw[i]-'0')
	}
	return n, len(v.raw) <= 18 // 10¹⁸ fits
}

// uint32 returns the value of a whole number.
func (v value) uint32() (uint32, error) {
	n, err := strconv.ParseUint(v.raw, 10, 32)
	if v.kind != number || err != nil {
		return 0, errNumber
	}
	return uint32(n), nil
}

// elements returns the elements of an array, and none if v is not an array.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		if v.kind != array {
			return
		}
		// v is well-formed, so there are no errors.
		d, at := document(v.raw), 1
		for {
			if at = d.space(at); d.peek(at) == ']' {
				return
			}
			element, end, err := d.value(at, 0)
			if err != nil || !yield(element) {
				return
			}
			if at = d.space(end); d.peek(at) == ',' {
				at++
			}
		}
	}
}

// member returns the value of an object's member with the given name. The kind of the
// value is none if there is no such member or v is not an object.
func (v value) member(name string) value {
	if v.kind != object {
		return value{}
	}
	m := members{document: document(v.raw)}
	err := m.open()
	for err == nil {
		var at string
		var found value
		if at, found, err = m.next(); found.kind == none || at == name {
			return found
		}
	}
	return value{}
}

// string returns the value of v, which is a string.
func (v value) string() string {
	if v.plain {
		return v.raw[1 : len(v.raw)-1]
	}
	return unquote(v.raw)
}

// unquote returns the value of a string in quotation marks.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	// encoding/json decodes every string that document.string accepts, and replaces
	// nothing in it.
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return quoted
	}
	return s
}
