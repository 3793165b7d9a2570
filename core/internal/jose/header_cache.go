package jose

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// headerSlots is the number of headers in a cache. An issuer has one header for each
// of its keys.
const headerSlots = 256

// Headers is a cache of the headers of verified tokens. All tokens that were signed by
// the same key usually have the same header, byte for byte, which then needs to be
// parsed only once. Headers is safe for concurrent use.
type Headers struct {
	seed  maphash.Seed
	slots [headerSlots]atomic.Pointer[knownHeader]
}

// A knownHeader is an entry of the cache. It never changes.
type knownHeader struct {
	segment string
	header  Header
}

// NewHeaders returns an empty cache.
func NewHeaders() *Headers { return &Headers{seed: maphash.MakeSeed()} }

// Parse returns what the function [Parse] returns, in less time if the header of
// compact is in h. It uses the capacity of buffer, which may be nil, to decode a header.
func (h *Headers) Parse(compact string, buffer []byte) (Token, error) {
	token, err := split(compact)
	if err != nil {
		return Token{}, err
	}
	if known := h.slot(token.header).Load(); known != nil && known.segment == token.header {
		token.Header = known.header
		return token, nil
	}
	token.Header, err = readHeader(token.header, buffer)
	return token, err
}

// Remember adds the header of token to h. It may replace another header. Call it only
// for a token whose signature was verified, so that an attacker cannot change the cache.
func (h *Headers) Remember(token *Token) {
	slot := h.slot(token.header)
	if known := slot.Load(); known == nil || known.segment != token.header {
		slot.Store(&knownHeader{strings.Clone(token.header), token.Header})
	}
}

func (h *Headers) slot(segment string) *atomic.Pointer[knownHeader] {
	return &h.slots[maphash.String(h.seed, segment)%headerSlots]
}
