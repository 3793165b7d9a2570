package jose

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// maxHeaderSize is the size of the largest header, decoded, in bytes. It is small,
// because the header is parsed before the signature is checked.
const maxHeaderSize = 4 << 10

var (
	errSegments = errors.New("jose: token does not have three non-empty segments")
	errHeader   = fmt.Errorf("jose: header has more than %d bytes", maxHeaderSize)
)

// A Token is a JWS in compact form whose header has been parsed. Its payload and its
// signature have not been decoded.
type Token struct {
	Header       Header
	SigningInput string // header and payload, encoded (RFC 7515 §5.2)
	header       string
	payload      string
	signature    string
}

// Parse splits compact into its segments and parses the header. It does not read the
// payload. The strings of the Token are substrings of compact, except those of its
// Header, which are copies. Parse does not limit the length of compact: the caller
// must do that.
func Parse(compact string) (Token, error) {
	token, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	token.Header, err = readHeader(token.header, nil)
	return token, err
}

// HeaderDecoded reports whether err, an error of [Parse], is about the JSON of a header
// that was decoded from base64url.
func HeaderDecoded(err error) bool {
	return err != nil && err != errSegments && err != errHeader && err != errEncoding //nolint:errorlint // Parse does not wrap them
}

// split splits compact into its segments, which it does not decode.
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

// readHeader decodes and parses a header. It uses the capacity of buffer.
func readHeader(segment string, buffer []byte) (Header, error) {
	if base64.RawURLEncoding.DecodedLen(len(segment)) > maxHeaderSize {
		return Header{}, errHeader
	}
	text, err := decode(buffer[:0], segment)
	if err != nil {
		return Header{}, err
	}
	return parseHeader(string(text))
}

// Signature appends the decoded signature to dst.
func (t *Token) Signature(dst []byte) ([]byte, error) { return decode(dst, t.signature) }

// Payload appends the decoded payload to dst. Check the signature before using the
// payload: without a valid signature, an attacker can have chosen it.
func (t *Token) Payload(dst []byte) ([]byte, error) { return decode(dst, t.payload) }

// Encode returns the signing input of header and payload.
func Encode(header, payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
}

// Compact returns the token with the given signing input and signature.
func Compact(signingInput string, signature []byte) string {
	return signingInput + "." + base64.RawURLEncoding.EncodeToString(signature)
}
