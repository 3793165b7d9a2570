package jose

import (
	"encoding/base64"
	"errors"
	"strings"
)

// maxHeaderSize bounds the decoded header. The header is the one part that is
// parsed before the signature is checked, so it is kept small.
const maxHeaderSize = 4 << 10

var (
	errSegments = errors.New("jose: token is not three non-empty segments")
	errHeader   = errors.New("jose: header is over the size limit")
)

// A Token is a compact JWS taken apart: its header read, its payload not yet.
type Token struct {
	Header       Header
	SigningInput string // header and payload as they came (RFC 7515 §5.2)
	header       string
	payload      string
	signature    string
}

// Parse reads the shape and the header of compact. It does not look inside the
// payload. The strings of the Token are parts of compact, but for those of its
// Header, which are copies. How long a token may be is the caller's to check.
func Parse(compact string) (Token, error) {
	token, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	token.Header, err = readHeader(token.header)
	return token, err
}

// split takes compact apart without a look into its segments.
func split(compact string) (Token, error) {
	header, rest, _ := strings.Cut(compact, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if header == "" || payload == "" || signature == "" || strings.IndexByte(signature, '.') >= 0 {
		return Token{}, errSegments
	}
	return Token{
		SigningInput: compact[:len(compact)-len(signature)-1],
		header:       header,
		payload:      payload,
		signature:    signature,
	}, nil
}

// readHeader reads the header that segment stands for.
func readHeader(segment string) (Header, error) {
	if base64.RawURLEncoding.DecodedLen(len(segment)) > maxHeaderSize {
		return Header{}, errHeader
	}
	text, err := decode(nil, segment)
	if err != nil {
		return Header{}, err
	}
	return parseHeader(string(text))
}

// Signature appends the decoded signature to dst.
func (t *Token) Signature(dst []byte) ([]byte, error) { return decode(dst, t.signature) }

// Payload appends the decoded payload to dst. Look inside only when the signature
// is good: it is then what the issuer signed, and nothing an attacker chose.
func (t *Token) Payload(dst []byte) ([]byte, error) { return decode(dst, t.payload) }

// Encode returns header and payload as a signing input, ready to be signed.
func Encode(header, payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
}

// Compact returns the token of a signing input and its signature.
func Compact(signingInput string, signature []byte) string {
	return signingInput + "." + base64.RawURLEncoding.EncodeToString(signature)
}
