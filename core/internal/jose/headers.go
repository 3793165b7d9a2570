package jose

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// headerSlots is how many headers are remembered. An issuer has a few: one for
// each of its keys.
const headerSlots = 256

// Headers remembers the headers of good tokens. All tokens that a key signs have
// the same one, to the letter, so that it needs to be read only once. It is safe
// for concurrent use.
type Headers struct {
	seed  maphash.Seed
	slots [headerSlots]atomic.Pointer[knownHeader]
}

// knownHeader is never changed.
type knownHeader struct {
	segment string
	header  Header
}

// NewHeaders returns Headers that remembers none yet.
func NewHeaders() *Headers { return &Headers{seed: maphash.MakeSeed()} }

// Parse is the function [Parse], at less cost for a header that h remembers.
func (h *Headers) Parse(compact string) (Token, error) {
	token, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	if known := h.slot(token.header).Load(); known != nil && known.segment == token.header {
		token.Header = known.header
		return token, nil
	}
	token.Header, err = readHeader(token.header)
	return token, err
}

// Remember remembers the header of token, if need be in place of another. Call it
// only when the signature is good: nobody else has a say in what is remembered.
func (h *Headers) Remember(token *Token) {
	slot := h.slot(token.header)
	if known := slot.Load(); known == nil || known.segment != token.header {
		slot.Store(&knownHeader{strings.Clone(token.header), token.Header})
	}
}

func (h *Headers) slot(segment string) *atomic.Pointer[knownHeader] {
	return &h.slots[maphash.String(h.seed, segment)%headerSlots]
}
