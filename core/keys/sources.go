package keys

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// Sources are several sources of keys for one issuer, such as a secret and a JWK Set
// while the issuer moves from one to the other:
//
//	keys.Sources{keys.HS256(secret), keys.Remote{URL: "https://…"}}
//
// The keys of all sources verify, together as if they were one [Set]: keys of
// several sources can have the same kid, and the source that is listed first is
// tried first. The first source that can sign signs. While the keys of a [Remote]
// are unavailable, those of the other sources still verify.
type Sources []Source

// Open makes s a [Source]. Later changes of s have no effect.
func (s Sources) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	var problems []string
	if len(s) == 0 {
		problems = append(problems, "is empty: give at least one source")
	}
	combined := &sources{}
	for i, source := range s {
		if source == nil {
			problems = append(problems, fmt.Sprintf("source %d is nil: give a key, a keys.Set, a *keys.Ring or keys.Remote{}", i))
			continue
		}
		opened, wrong := source.Open(options)
		for _, problem := range wrong {
			problems = append(problems, fmt.Sprintf("source %d: %s", i, problem))
		}
		combined.all = append(combined.all, opened)
		if remote, ok := opened.(keyaccess.Remote); ok {
			combined.remotes = append(combined.remotes, remotePart{remote, i})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if len(combined.remotes) > 0 {
		return remoteSources{combined}, nil
	}
	return combined, nil
}

// sources are the keys of several sources.
type sources struct {
	all     []keyaccess.Keys
	remotes []remotePart
	current atomic.Pointer[table]
}

// A remotePart is one of the sources, which is fetched.
type remotePart struct {
	keyaccess.Remote

	index int // in all
}

// Current returns the keys of all sources. It is the same set until one of the
// sources has another.
func (s *sources) Current() keyaccess.Set {
	for {
		last := s.current.Load()
		if last != nil && s.has(last.parts) {
			return last
		}
		s.current.CompareAndSwap(last, s.combine())
	}
}

// has reports whether parts are the current sets of the sources.
func (s *sources) has(parts []keyaccess.Set) bool {
	for i, part := range parts {
		if s.all[i].Current() != part {
			return false
		}
	}
	return true
}

// combine returns a table of the current keys of all sources.
func (s *sources) combine() *table {
	parts := make([]keyaccess.Set, len(s.all))
	var keys []Key
	for i := range s.all {
		parts[i] = s.all[i].Current()
		keys = append(keys, parts[i].(*table).all...)
	}
	t := newTable(keys)
	t.parts, t.signer = parts, nil
	for _, part := range parts {
		if signer := part.(*table).signer; t.signer == nil {
			t.signer = signer
		}
	}
	return t
}

// SigningKey returns the signing key of the first source that can sign.
func (s *sources) SigningKey(issued, expires time.Time) keyaccess.SigningKey {
	for _, keys := range s.all {
		if key := keys.SigningKey(issued, expires); key != nil {
			return key
		}
	}
	return nil
}

// remoteSources are sources of which at least one is fetched.
type remoteSources struct{ *sources }

// Used is part of [keyaccess.Remote]. It concerns all fetched sources, so that the
// keys of each are up to date while tokens of the issuer come.
func (s remoteSources) Used(ctx context.Context) (changed bool, err error) {
	for _, r := range s.remotes {
		now, problem := r.Used(ctx)
		if err == nil {
			err = problem
		}
		changed = changed || now
	}
	return changed, err
}

// Seek is part of [keyaccess.Remote]. Any of the fetched sources can have the key.
func (s remoteSources) Seek(ctx context.Context, seen keyaccess.Set) (err error) {
	for _, r := range s.remotes {
		if problem := r.Seek(ctx, seen.(*table).parts[r.index]); err == nil {
			err = problem
		}
	}
	return err
}

// Age is part of [keyaccess.Remote]. It returns the age of the oldest keys, and false if
// one of the fetched sources has none.
func (s remoteSources) Age() (age time.Duration, held bool) {
	for _, r := range s.remotes {
		one, held := r.Age()
		if !held {
			return 0, false
		}
		age = max(age, one)
	}
	return age, true
}

// Close is part of [keyaccess.Remote].
func (s remoteSources) Close() {
	for _, r := range s.remotes {
		r.Close()
	}
}
