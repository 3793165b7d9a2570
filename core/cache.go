package jwtgate

import (
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// A cache has verified tokens, so that a token seen before costs little. The time, the
// keys and the revocations can change while a token is cached, so they are checked on
// every hit.
//
// It is a table of fixed size, divided into sets of a few slots. The hash of a
// token selects its set. Entries are found and replaced without a lock and never
// change. Expired tokens stay until their room is needed. Each set has a number of
// bytes for its tokens, so that long tokens do not take more memory than short ones.
//
// A flood of tokens, even of valid ones, must not evict the tokens in use. So a
// token is admitted when it is seen for the second time. It replaces the token of
// its set that has expired or was used the least in the last minutes. Admitted
// tokens that are not used are the first to be replaced, so each set loses at most
// one token in use. In existing caches, a hit takes half as long again. In such a
// flood, golang-lru evicts nearly all tokens in use, and otter up to a tenth of them.
type cache struct {
	seed maphash.Seed
	sets []cacheSet
	used atomic.Int64 // the number of slots that are not empty
}

const (
	cacheWays        = 8                   // slots in a set
	cacheSetSize     = cacheWays * 2 << 10 // the bytes for the tokens of a set
	defaultCacheSize = 32 << 20
	maxCacheSize     = int(min(int64(math.MaxInt), 16<<30))
)

type cacheSet struct {
	slots [cacheWays]atomic.Pointer[cachedToken]
	size  atomic.Int64  // the sum of the sizes of the tokens in the slots
	tags  atomic.Uint64 // of the token in each slot, so that few slots need to be read
	seen  atomic.Uint64 // tags of tokens that were seen once recently
}

// A cachedToken is a verified token and its identity.
type cachedToken struct {
	token    string
	identity *Identity
	used     atomic.Uint32 // the minute of the last hit, and the number of hits
}

// size returns about how many bytes v takes, without the claims that [Claims] decodes
// from it. A nil v takes none.
func (v *cachedToken) size() int64 {
	const fixed = 480 // v, its identity and what the claims point to, as BenchmarkHeap measures
	if v == nil {
		return 0
	}
	return fixed + int64(len(v.token)+len(v.identity.payload))
}

// newCache returns a cache of size bytes, rounded up to whole sets. If size is less than
// one, the cache is always empty.
func newCache(size int) *cache {
	return &cache{
		seed: maphash.MakeSeed(),
		sets: make([]cacheSet, (max(size, 0)+cacheSetSize-1)/cacheSetSize),
	}
}

// hash returns the hash by which token is cached. It is of the end of the token, because
// a client cannot choose the end of a valid signature.
func (c *cache) hash(token string) uint64 {
	return maphash.String(c.seed, token[max(0, len(token)-64):])
}

// find returns the entry for token, which has the given hash, or nil if there is none.
func (c *cache) find(token string, hash uint64) *cachedToken {
	if len(c.sets) == 0 {
		return nil
	}
	set, tag := c.place(hash)
	tags := set.tags.Load()
	for i := range set.slots {
		if tagAt(tags, i) != tag {
			continue
		}
		if v := set.slots[i].Load(); v != nil && v.token == token {
			return v
		}
	}
	return nil
}

// admits reports whether the token with the given hash, once verified, is to be cached:
// whether it was seen before.
func (c *cache) admits(hash uint64) bool {
	if len(c.sets) == 0 {
		return false
	}
	set, tag := c.place(hash)
	return set.saw(tag)
}

// add records that token, which has the given hash, was verified at now. If id.cached is
// set, as admits has said, it caches the token and its identity.
func (c *cache) add(token string, hash uint64, id *Identity, now time.Time) {
	if len(c.sets) == 0 {
		return
	}
	set, tag := c.place(hash)
	if !id.cached {
		if !set.saw(tag) {
			set.seen.Store(withTag(set.seen.Load(), rand.IntN(cacheWays), tag)) //nolint:gosec // which token is replaced is no secret
		}
		return
	}
	v := &cachedToken{token: strings.Clone(token), identity: id}
	if v.size() > cacheSetSize {
		return // it would evict all tokens of its set
	}
	v.hit(now)
	i := set.choose(token, now)
	c.replace(set, i, v)
	for {
		// If another goroutine writes to the same slot in between, one of the two
		// tokens has a wrong tag, and is not found until it is added again.
		tags := set.tags.Load()
		if set.tags.CompareAndSwap(tags, withTag(tags, i, tag)) {
			break
		}
	}
	for set.size.Load() > cacheSetSize {
		c.replace(set, set.least(i, now), nil)
	}
}

// replace replaces the token in slot i of set by v, which may be nil.
func (c *cache) replace(set *cacheSet, i int, v *cachedToken) {
	old := set.slots[i].Swap(v)
	set.size.Add(v.size() - old.size())
	switch {
	case old == nil && v != nil:
		c.used.Add(1)
	case old != nil && v == nil:
		c.used.Add(-1)
	}
}

// least returns the slot of the token of the least value, other than that in slot kept.
func (s *cacheSet) least(kept int, now time.Time) int {
	chosen, least := kept, maxValue+1
	for i := range s.slots {
		if v := s.slots[i].Load(); v != nil && i != kept && v.value(now) < least {
			chosen, least = i, v.value(now)
		}
	}
	return chosen
}

// place returns the set for the token with the given hash, and its tag there.
func (c *cache) place(hash uint64) (set *cacheSet, tag byte) {
	i, _ := bits.Mul64(hash, uint64(len(c.sets))) // as uniform as the remainder, and faster
	return &c.sets[i], byte(hash&0xff) | 1        // never zero, the tag of an empty slot
}

// saw reports whether a token with tag was seen recently. False positives are
// possible.
func (s *cacheSet) saw(tag byte) bool {
	seen := s.seen.Load()
	for i := range cacheWays {
		if tagAt(seen, i) == tag {
			return true
		}
	}
	return false
}

// choose returns the slot for token: the slot that it has already, if its keys have
// changed since, or else the slot of the least value.
func (s *cacheSet) choose(token string, now time.Time) int {
	chosen, least := 0, maxValue+1
	for i := range s.slots {
		v := s.slots[i].Load()
		if v != nil && v.token == token {
			return i
		}
		if value := v.value(now); value < least {
			chosen, least = i, value
		}
	}
	return chosen
}

// tagAt returns the ith of eight tags, each of one byte.
func tagAt(tags uint64, i int) byte { return byte(tags >> (8 * i) & 0xff) }

// withTag returns tags with tag as the ith of them.
func withTag(tags uint64, i int, tag byte) uint64 {
	return tags&^(0xff<<(8*i)) | uint64(tag)<<(8*i)
}

const (
	maxHits  = 15 // the largest number that is counted, so that further hits write nothing
	maxValue = maxHits + 2
)

// value returns the value of keeping v, which may be nil for an empty slot. An expired
// token has little value, and each hit in the last minutes adds to it.
func (v *cachedToken) value(now time.Time) int {
	switch {
	case v == nil:
		return 0
	case v.identity.over(now):
		return 1
	}
	return 2 + int(v.hits(minute(now)))
}

// hit counts a hit.
func (v *cachedToken) hit(now time.Time) {
	at := minute(now)
	if used := at<<8 | min(v.hits(at)+1, maxHits); used != v.used.Load() {
		v.used.Store(used)
	}
}

// hits returns the number of hits, halved for each minute that has passed since the
// last one.
func (v *cachedToken) hits(at uint32) uint32 {
	used := v.used.Load()
	return used & 0xff >> (at - used>>8)
}

// minute returns now in minutes, in the 24 bits that remain beside the hits.
func minute(now time.Time) uint32 { return uint32(now.Unix() / 60 & 0xffffff) }
