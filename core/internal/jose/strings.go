package jose

// Strings returns the members of the JSON object in object whose values are
// strings. It is as strict with it as with a token's, and passes over
// members of other types.
func Strings(object string) (map[string]string, error) {
	s := scanner{text: object}
	if err := s.object(); err != nil {
		return nil, err
	}
	var members members
	found := make(map[string]string)
	for {
		name, v, err := s.next(&members)
		if err != nil {
			return nil, err
		}
		if v.kind == none {
			return found, s.end()
		}
		if v.kind == text {
			found[name] = v.string()
		}
	}
}
