package jose

import (
	"errors"
	"strings"
)

var (
	errPathEmpty  = errors.New("names no claim")
	errPathName   = errors.New("has an empty name between its slashes")
	errPathEscape = errors.New("has a ~ that is not followed by 0 or 1 (RFC 6901 §3)")
)

// A Path is the names to follow from the outermost object inwards to a value. It
// has at least one name.
type Path []string

// ParsePath returns the path in text: a JSON Pointer (RFC 6901) if text begins with
// a slash, and the name of a claim if not.
func ParsePath(text string) (Path, error) {
	if text == "" {
		return nil, errPathEmpty
	}
	if text[0] != '/' {
		return Path{text}, nil
	}
	path := Path(strings.Split(text[1:], "/"))
	for i, name := range path {
		if name == "" {
			return nil, errPathName
		}
		bare := strings.NewReplacer("~0", "", "~1", "").Replace(name)
		if strings.Contains(bare, "~") {
			return nil, errPathEscape
		}
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	}
	return path, nil
}

// A Layout is the places of the claims that issuers put in different places. Nil
// stands for the registered subject and audience, and no roles.
type Layout struct {
	places   []Path // of the subject and of the audience, unless they are registered claims, and then of the roles
	subject  bool   // the subject has a place
	audience bool   // the audience has a place
}

// NewLayout returns a layout. A nil subject stands for the claim sub, and a nil
// audience for the claim aud.
func NewLayout(subject, audience Path, roles ...Path) *Layout {
	l := &Layout{subject: subject != nil, audience: audience != nil}
	if l.subject {
		l.places = append(l.places, subject)
	}
	if l.audience {
		l.places = append(l.places, audience)
	}
	l.places = append(l.places, roles...)
	return l
}

// follow returns the value at path in the object v, and a value of kind none if
// there is none. It passes through objects only. If one of them has a second
// spelling of a name of path, follow returns an error: another decoder may choose
// the other one.
func (v value) follow(path Path) (value, error) {
	for _, name := range path {
		var err error
		if v, err = v.member(name); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

// member returns the value named name in the object v, or one of kind none.
func (v value) member(name string) (found value, err error) {
	spellings := 0
	for other, member := range v.members() {
		if other == name {
			found = member
		}
		if strings.EqualFold(other, name) {
			spellings++
		}
	}
	if spellings > 1 {
		return value{}, errTwice
	}
	return found, nil
}
