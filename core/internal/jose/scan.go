package jose

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth  = 32
	maxNumber = 128 // bytes of a number's literal
)

var (
	errSyntax  = errors.New("jose: text is not JSON")
	errDepth   = errors.New("jose: JSON is nested too deeply")
	errUnicode = errors.New("jose: JSON string is not valid Unicode")
	errNumber  = errors.New("jose: JSON number is out of range")
	errTwice   = errors.New("jose: JSON object names a member twice, or twice but for case")
	errFolded  = errors.New("jose: JSON object spells a registered name in another case")
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

// value is a JSON value that was read and found well-formed: its type and its
// text, quotes and brackets included.
type value struct {
	kind  kind
	plain bool // it is a string that stands for itself: printable ASCII, no escapes
	raw   string
}

// scanner reads one JSON text (RFC 8259) strictly, from front to back.
type scanner struct {
	text string
	pos  int
}

// object opens the object at the cursor, which must be the next thing there.
func (s *scanner) object() error {
	s.space()
	if s.peek() != '{' {
		return errSyntax
	}
	s.pos++
	return nil
}

// end reports whether nothing follows what was read.
func (s *scanner) end() error {
	s.space()
	if s.pos != len(s.text) {
		return errSyntax
	}
	return nil
}

// members is how far a walk over the members of an object has come.
type members struct {
	depth int // of the object
	names nameSet
	begun bool
}

// next returns the next member of the object that m walks over, its value read
// and well-formed. After the last one it returns a value of kind none.
func (s *scanner) next(m *members) (name string, v value, err error) {
	s.space()
	if s.peek() == '}' {
		s.pos++
		return "", value{}, nil
	}
	if m.begun {
		if s.peek() != ',' {
			return "", value{}, errSyntax
		}
		s.pos++
		s.space()
	}
	m.begun = true
	quoted, plain, err := s.string()
	if err != nil {
		return "", value{}, err
	}
	name = value{text, plain, quoted}.string()
	if !m.names.add(name, plain) {
		return "", value{}, errTwice
	}
	s.space()
	if s.peek() != ':' {
		return "", value{}, errSyntax
	}
	s.pos++
	v, err = s.value(m.depth + 1)
	return name, v, err
}

// value reads the value at the cursor.
func (s *scanner) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, errDepth
	}
	s.space()
	start := s.pos
	var k kind
	var plain bool
	var err error
	switch c := s.peek(); {
	case c == '"':
		k = text
		_, plain, err = s.string()
	case c == '{':
		k = object
		err = s.skipObject(depth)
	case c == '[':
		k = array
		err = s.skipArray(depth)
	case c == '-' || '0' <= c && c <= '9':
		k = number
		err = s.number()
	case s.literal("true"), s.literal("false"):
		k = boolean
	case s.literal("null"):
		k = null
	default:
		err = errSyntax
	}
	if err != nil {
		return value{}, err // the cursor may be anywhere, even past the end
	}
	return value{k, plain, s.text[start:s.pos]}, nil
}

func (s *scanner) skipObject(depth int) error {
	m := members{depth: depth}
	err := s.object()
	for err == nil {
		var v value
		if _, v, err = s.next(&m); v.kind == none {
			break
		}
	}
	return err
}

func (s *scanner) skipArray(depth int) error {
	s.pos++ // [
	if s.space(); s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if _, err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		c := s.peek()
		s.pos++
		switch c {
		case ',':
		case ']':
			return nil
		default:
			return errSyntax
		}
	}
}

// string reads the string at the cursor and returns it with its quotes. It is
// plain if there is nothing in it but printable ASCII that stands for itself.
func (s *scanner) string() (quoted string, plain bool, err error) {
	if s.peek() != '"' {
		return "", false, errSyntax
	}
	start := s.pos
	end := start + 1
	for end < len(s.text) && isPlain[s.text[end]] {
		end++
	}
	if end < len(s.text) && s.text[end] == '"' {
		s.pos = end + 1
		return s.text[start:s.pos], true, nil
	}
	s.pos = end
	quoted, err = s.otherString(start)
	return quoted, false, err
}

// otherString is string for one that is not plain, from the cursor on.
func (s *scanner) otherString(start int) (string, error) {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			quoted := s.text[start:s.pos]
			if !utf8.ValidString(quoted) {
				return "", errUnicode
			}
			return quoted, nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return "", err
			}
		case c < ' ':
			return "", errSyntax
		default:
			s.pos++
		}
	}
	return "", errSyntax
}

// isPlain says of each byte whether it stands for itself in a string, and is printable.
var isPlain = func() (plain [256]bool) {
	for c := ' '; c <= '~'; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// escape reads the escape at the cursor. Half a surrogate pair is refused:
// decoders replace it, each in its way, and two names become one.
func (s *scanner) escape() error {
	s.pos++ // backslash
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		r, ok := s.hex4()
		if !ok {
			return errSyntax
		}
		if !utf16.IsSurrogate(r) {
			return nil
		}
		if !strings.HasPrefix(s.text[s.pos:], `\u`) {
			return errUnicode
		}
		s.pos += 2
		low, ok := s.hex4()
		if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return errUnicode
		}
		return nil
	}
	return errSyntax
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.text)-s.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(s.text[s.pos:s.pos+4], 16, 16)
	s.pos += 4
	return rune(n), err == nil
}

// number reads the number at the cursor.
func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	whole := s.digits()
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return errSyntax
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == "" {
			return errSyntax
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == "" {
			return errSyntax
		}
		// Only an exponent can leave the range of a float64 within maxNumber.
		if _, err := strconv.ParseFloat(s.text[start:s.pos], 64); err != nil {
			return errNumber
		}
	}
	if s.pos-start > maxNumber {
		return errNumber
	}
	return nil
}

func (s *scanner) digits() string {
	start := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.text[start:s.pos]
}

func (s *scanner) literal(word string) bool {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.text) && s.text[s.pos] <= ' ' {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the byte at the cursor, 0 at the end: no JSON starts with it.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}
