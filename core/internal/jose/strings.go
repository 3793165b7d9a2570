package jose

// Strings returns the members of a JSON object whose values are strings, and ignores
// the others. It is as strict as the parser of claims.
func Strings(object string) (map[string]string, error) {
	m := members{document: document(object)}
	if err := m.open(); err != nil {
		return nil, err
	}
	found := make(map[string]string)
	for {
		name, v, err := m.next()
		if err != nil {
			return nil, err
		}
		if v.kind == none {
			return found, m.end()
		}
		if v.kind == text {
			found[name] = v.string()
		}
	}
}
