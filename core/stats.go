package jwtgate

import "time"

// Stats are figures about the state of an [Auth], for metrics. What happens, such as
// the hits of the cache, is told by an [Observer].
type Stats struct {
	// FeedAge is how long ago all revocations were known. It is usually below a second.
	// When it exceeds SessionConfig.MaxLag, access tokens are refused. It is zero
	// without sessions.
	FeedAge time.Duration

	Revocations int // in the memory of this process
	CacheSize   int // the number of tokens that the cache of verified tokens can hold
	CacheUsed   int // the number of tokens that it holds, some of which may have expired

	// StoreAhead is how much the clock of the session store was ahead of this process
	// when a session was last created, as far as it is known to differ.
	StoreAhead time.Duration

	Keys []KeyStats // of each issuer with a keys.Remote
}

// KeyStats are figures about the keys of an issuer that are fetched.
type KeyStats struct {
	Issuer string
	Held   bool          // there are keys
	Age    time.Duration // since the last successful fetch; zero without keys
}

// Stats returns the current figures. It is cheap, but allocates.
func (a *Auth) Stats() Stats {
	if a == nil {
		return Stats{}
	}
	s := Stats{
		CacheSize:  len(a.cache.sets) * cacheWays,
		CacheUsed:  int(a.cache.used.Load()),
		StoreAhead: time.Duration(a.storeAhead.Load()),
	}
	if a.sessions != nil {
		s.FeedAge = a.sessions.feed.age()
		s.Revocations = int(a.sessions.revoked.held.Load())
	}
	for i := range a.issuers {
		if issuer := &a.issuers[i]; issuer.remote != nil {
			age, held := issuer.remote.Age()
			s.Keys = append(s.Keys, KeyStats{Issuer: issuer.name, Held: held, Age: age})
		}
	}
	return s
}
