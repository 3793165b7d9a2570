package jwtgate

import (
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// A cache remembers verified tokens, so that a token seen before costs next to
// nothing. What has a say besides the token's bytes (the clock, the keys, what
// is revoked) is asked on every hit.
//
// It is a table of fixed size, in sets of a few slots; a token's hash says which
// set it is kept in. What it holds is found and replaced without a lock, is never
// changed, and dead tokens stay until their slot is needed: it is the number of
// slots that bounds the memory they take.
//
// A flood of tokens, even of good ones, must not wash the useful ones out. So a
// token is let in when it is seen for the second time, in place of the one that
// is over or was used the least in the last minutes. What was let in and is not
// used stands in for the others: each set loses one useful token at most. Caches
// ready to use take half as long again for a hit, and in such a flood golang-lru
// loses nearly all of the useful tokens, otter between a tenth and that.
type cache struct {
	seed maphash.Seed
	sets []cacheSet
}

const (
	cacheWays        = 8 // slots in a set
	defaultCacheSize = 1 << 14
	maxCacheSize     = 1 << 24
)

type cacheSet struct {
	slots [cacheWays]atomic.Pointer[verified]
	tags  atomic.Uint64 // of the token in each slot, so that few need to be looked at
	seen  atomic.Uint64 // of tokens that were seen once lately
}

// verified is a token that was found good, and who it vouches for.
type verified struct {
	token    string
	identity *Identity
	used     atomic.Uint32 // the minute of the last hit, and the number of hits
}

// newCache returns a cache of size slots, rounded up to whole sets. If size is
// less than one, it has none.
func newCache(size int) *cache {
	return &cache{
		seed: maphash.MakeSeed(),
		sets: make([]cacheSet, (max(size, 0)+cacheWays-1)/cacheWays),
	}
}

// find returns what is known of token, nil if nothing is.
func (c *cache) find(token string) *verified {
	if len(c.sets) == 0 {
		return nil
	}
	set, tag := c.place(token)
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

// add notes that token, which was verified at now, vouches for id.
func (c *cache) add(token string, id *Identity, now time.Time) {
	if len(c.sets) == 0 {
		return
	}
	set, tag := c.place(token)
	if !set.sawBefore(tag) {
		return
	}
	id.kept = true
	v := &verified{token: strings.Clone(token), identity: id}
	v.hit(now)
	i := set.choose(token, now)
	set.slots[i].Store(v)
	for {
		// Whoever writes to the same slot in between makes one of the two hard to
		// find, until it is added again.
		tags := set.tags.Load()
		if set.tags.CompareAndSwap(tags, withTag(tags, i, tag)) {
			return
		}
	}
}

// place returns the set where token is kept, and its tag there. They go by its
// end: nobody can choose what a signature ends with, and no two have one in common.
func (c *cache) place(token string) (set *cacheSet, tag byte) {
	hash := maphash.String(c.seed, token[max(0, len(token)-64):])
	i, _ := bits.Mul64(hash, uint64(len(c.sets))) // as evenly as the remainder, and faster
	return &c.sets[i], byte(hash&0xff) | 1        // zero is none
}

// sawBefore notes that a token with tag was seen, in place of any other, and
// reports whether it was before. It errs once in a while.
func (s *cacheSet) sawBefore(tag byte) bool {
	seen := s.seen.Load()
	for i := range cacheWays {
		if tagAt(seen, i) == tag {
			return true
		}
	}
	s.seen.Store(withTag(seen, rand.IntN(cacheWays), tag)) //nolint:gosec // which one is lost is no secret
	return false
}

// choose returns the slot to keep token in: its own, if its keys changed since,
// or the one with the least to lose.
func (s *cacheSet) choose(token string, now time.Time) int {
	chosen, least := 0, maxWorth+1
	for i := range s.slots {
		v := s.slots[i].Load()
		if v != nil && v.token == token {
			return i
		}
		if worth := v.worth(now); worth < least {
			chosen, least = i, worth
		}
	}
	return chosen
}

// tagAt returns the ith of eight tags, each a byte of a token's hash.
func tagAt(tags uint64, i int) byte { return byte(tags >> (8 * i) & 0xff) }

// withTag returns tags with tag as the ith.
func withTag(tags uint64, i int, tag byte) uint64 {
	return tags&^(0xff<<(8*i)) | uint64(tag)<<(8*i)
}

const (
	maxHits  = 15 // are counted, so that a token in steady use is not written to
	maxWorth = maxHits + 2
)

// worth returns how much is lost with v: nothing with an empty slot, little with
// one that is over, more with each hit in the last minutes.
func (v *verified) worth(now time.Time) int {
	switch {
	case v == nil:
		return 0
	case v.identity.over(now):
		return 1
	}
	return 2 + int(v.hits(minute(now)))
}

// hit counts a use of v.
func (v *verified) hit(now time.Time) {
	at := minute(now)
	if used := at<<8 | min(v.hits(at)+1, maxHits); used != v.used.Load() {
		v.used.Store(used)
	}
}

// hits returns how often v was used, at a minute: each that has passed since the
// last use halves the number. Nobody can make time pass faster by asking often.
func (v *verified) hits(at uint32) uint32 {
	used := v.used.Load()
	return used & 0xff >> (at - used>>8)
}

// minute returns now in minutes, as many as there is room for beside the hits.
func minute(now time.Time) uint32 { return uint32(now.Unix() / 60 & 0xffffff) }
