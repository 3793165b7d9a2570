package jose

// Strings returns the members of the JSON object in object whose values are
// strings. It is as strict with it as with a token's, and passes over
// members of other types.
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
