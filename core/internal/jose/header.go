package jose

import (
	"errors"
	"strings"
)

const (
	maxHeaderMembers = 32
	maxKeyID         = 256
)

var (
	errCritical  = errors.New("jose: header asks for extensions (crit, b64, zip) that are not understood")
	errNested    = errors.New("jose: token is encrypted or nested")
	errAlgorithm = errors.New("jose: header has no alg")
	errKeyID     = errors.New("jose: kid is not short printable text")
	errMediaType = errors.New("jose: typ is empty")
	errMembers   = errors.New("jose: header has too many members")
)

// A Header is the part of a JOSE header (RFC 7515 §4.1) that has a say in how a
// token is judged. Key material in a header (jwk, jku, x5c, x5u) is never read:
// keys come from the configuration, not from the token.
type Header struct {
	Algorithm string // alg, never empty
	KeyID     string // kid, empty if absent
	Type      string // typ as MediaType returns it, empty if absent
}

func parseHeader(text string) (Header, error) {
	var header Header
	m := members{document: document(text)}
	if err := m.open(); err != nil {
		return Header{}, err
	}
	for count := 1; ; count++ {
		name, value, err := m.next()
		if err != nil {
			return Header{}, err
		}
		if value.kind == none {
			break
		}
		if count > maxHeaderMembers {
			return Header{}, errMembers
		}
		switch name {
		case "alg":
			header.Algorithm, err = value.text()
		case "kid":
			if header.KeyID, err = value.text(); err == nil && !ValidKeyID(header.KeyID) {
				err = errKeyID
			}
		case "typ":
			if header.Type, err = value.text(); err != nil {
				break
			}
			// One that says nothing is not one that is absent.
			if header.Type = MediaType(header.Type); header.Type == "" {
				err = errMediaType
			}
		case "crit", "b64", "zip":
			// RFC 7515 §4.1.11: an extension that is not understood and
			// processed makes the token invalid, and none is.
			err = errCritical
		case "cty", "enc":
			// RFC 7519 §5.2, RFC 7516 §9: the payload would not be claims.
			err = errNested
		default:
			if m.names.respells(name, &headerNames) {
				err = errFolded
			}
		}
		if err != nil {
			return Header{}, err
		}
	}
	if header.Algorithm == "" {
		return Header{}, errAlgorithm
	}
	return header, m.end()
}

var headerNames = register("alg", "kid", "typ", "crit", "b64", "zip", "cty", "enc")

// MediaType returns typ in the one form to compare: lower case and without the
// application/ that RFC 7515 §4.1.9 lets a producer leave out.
func MediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, found := strings.CutPrefix(typ, "application/"); found && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

// ValidKeyID reports whether id is 1 to 256 printable ASCII characters, the form
// in which a kid is accepted: it is looked up and logged, and does nothing else.
func ValidKeyID(id string) bool {
	if id == "" || len(id) > maxKeyID {
		return false
	}
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}
