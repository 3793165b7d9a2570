package jose

// members is a walk over the members of an object. All fields but document are
// zero for the outermost one. Further in, names that differ in case are two: issuers
// put names there that users choose, such as those of clients and roles.
type members struct {
	document

	at    int // where it has come to
	depth int // of the object
	names nameSet
	begun bool
}

// open goes to the object's first member. The object must be what is next.
func (m *members) open() error {
	m.at = m.space(m.at)
	if m.peek(m.at) != '{' {
		return errSyntax
	}
	m.at++
	return nil
}

// next returns the next member, its value read and well-formed. After the last
// one it returns a value of kind none.
func (m *members) next() (name string, v value, err error) {
	at := m.space(m.at)
	if m.peek(at) == '}' {
		m.at = at + 1
		return "", value{}, nil
	}
	if m.begun {
		if m.peek(at) != ',' {
			return "", value{}, errSyntax
		}
		at = m.space(at + 1)
	}
	m.begun = true
	end, plain, err := m.string(at)
	if err != nil {
		return "", value{}, err
	}
	name = value{text, plain, string(m.document[at:end])}.string()
	if !m.names.add(name, plain) {
		return "", value{}, errTwice
	}
	at = m.space(end)
	if m.peek(at) != ':' {
		return "", value{}, errSyntax
	}
	v, m.at, err = m.value(at+1, m.depth+1)
	return name, v, err
}

// end reports an error if anything follows the object, whose last member was read.
func (m *members) end() error {
	if m.space(m.at) != len(m.document) {
		return errSyntax
	}
	return nil
}
