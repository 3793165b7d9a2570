package jose

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxHeaderMembers = 32
	maxKeyID         = 256
)

var (
	errCritical  = errors.New("jose: header has crit, b64 or zip: extensions are not supported")
	errNested    = errors.New("jose: token is encrypted or nested")
	errAlgorithm = errors.New("jose: header has no alg")
	errKeyID     = errors.New("jose: kid is not 1 to 256 printable ASCII characters")
	errMediaType = errors.New("jose: typ is empty")
	errASCII     = errors.New("jose: the name of a header parameter is not in ASCII")
	errMembers   = fmt.Errorf("jose: header has more than %d members", maxHeaderMembers)
)

// A Header has the parameters of a JOSE header (RFC 7515 §4.1) that are used to judge
// a token. Keys in a header (jwk, jku, x5c, x5u) are never read: keys come from the
// configuration, not from the token.
type Header struct {
	Algorithm string // alg, never empty
	KeyID     string // kid, empty if absent or empty
	Type      string // typ in the form that MediaType returns, empty if absent
}

func parseHeader(text string) (Header, error) {
	var header Header
	// A header is never decoded into a type of the application, which would ignore case.
	m := members{document: document(text), names: nameSet{exact: true}}
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
		if m.names.wide {
			return Header{}, errASCII // comparing such names takes long, and no issuer has them
		}
		switch name {
		case "alg":
			header.Algorithm, err = value.text()
		case "kid":
			// An empty kid names no key. Some issuers send it instead of none.
			if header.KeyID, err = value.text(); err == nil && header.KeyID != "" && !ValidKeyID(header.KeyID) {
				err = errKeyID
			}
		case "typ":
			if header.Type, err = value.text(); err != nil {
				break
			}
			// An empty typ does not count as an absent one.
			if header.Type = MediaType(header.Type); header.Type == "" {
				err = errMediaType
			}
		case "crit", "b64", "zip":
			// RFC 7515 §4.1.11: a token with an extension that is not supported
			// is invalid.
			err = errCritical
		case "cty", "enc":
			// RFC 7519 §5.2, RFC 7516 §9: the payload is a token, or is encrypted.
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

var headerNames = NewNames("alg", "kid", "typ", "crit", "b64", "zip", "cty", "enc")

// MediaType returns typ in a form that can be compared: in lower case and without the
// prefix application/, which RFC 7515 §4.1.9 allows producers to omit.
func MediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, found := strings.CutPrefix(typ, "application/"); found && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

// ValidKeyID reports whether id is a kid that is accepted: 1 to 256 printable ASCII
// characters, which can be logged safely.
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
