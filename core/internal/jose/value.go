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

// textOrEmpty returns what text returns, and the empty string in place of an error.
func (v value) textOrEmpty() string {
	s, _ := v.text()
	return s
}

// identifier returns what textOrEmpty returns or, if v is a whole number, its digits
// as they are written.
func (v value) identifier() string {
	if v.kind != number {
		return v.textOrEmpty()
	}
	for i := range len(v.raw) {
		if !isDigit(v.raw[i]) {
			return ""
		}
	}
	return v.raw
}

// date returns the NumericDate (RFC 7519 §2) that v is, in whole seconds,
// rounded down. A date before 1970 is 0, as if it were absent.
func (v value) date() (int64, error) {
	if v.kind != number {
		return 0, errType
	}
	if n, ok := v.digits(); ok {
		return n, nil
	}
	if n, err := strconv.ParseInt(v.raw, 10, 64); err == nil {
		return max(n, 0), nil
	}
	f, err := strconv.ParseFloat(v.raw, 64)
	if err != nil || f >= 1<<53 {
		return 0, errNumber
	}
	return int64(math.Floor(max(f, 0))), nil
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

// members returns the members of the object that v is; none if it is no object.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		// v was read before, so only open can fail, if v is not an object.
		m := members{document: document(v.raw), names: nameSet{exact: true}}
		for err := m.open(); err == nil; {
			var name string
			var member value
			if name, member, err = m.next(); member.kind == none || !yield(name, member) {
				return
			}
		}
	}
}

// isTrue reports whether v says that something is so: the value true, or an object
// or array that is not empty.
func (v value) isTrue() bool {
	switch v.kind {
	case boolean:
		return v.raw == "true"
	case object, array:
		d := document(v.raw)
		return d.space(1) != len(d)-1
	}
	return false
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
