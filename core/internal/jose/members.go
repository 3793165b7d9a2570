package jose

// members is a walk over the members of an object. All fields but document are
// zero for the outermost one. Further in, names that differ in case are two: issuers
// put names there that users choose, such as those of clients and roles.
type members struct {
	document

	at    int // the position in document
	depth int // of the object
	names nameSet
	begun bool // a member was read
}

// open reads the bracket with which the object begins.
func (m *members) open() error {
	m.at = m.space(m.at)
	if m.peek(m.at) != '{' {
		return errSyntax
	}
	m.at++
	return nil
}

// next reads and returns the next member. After the last one, it returns a value of
// kind none.
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

// end returns an error if the document continues after the object. The last member
// must have been read.
func (m *members) end() error {
	if m.space(m.at) != len(m.document) {
		return errSyntax
	}
	return nil
}
