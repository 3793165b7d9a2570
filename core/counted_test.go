package jwtgate_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/keys"
)

// counted returns a source of the keys of source that counts the signatures that
// they check.
func counted(source keys.Source, checks *atomic.Int64) keys.Source {
	return countedSource{source, checks}
}

type countedSource struct {
	keys.Source

	checks *atomic.Int64
}

func (s countedSource) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	opened, problems := s.Source.Open(options)
	if remote, ok := opened.(keyaccess.Remote); ok {
		return countedRemote{remote, s.checks}, problems
	}
	return countedKeys{opened, s.checks}, problems
}

type countedKeys struct {
	keyaccess.Keys

	checks *atomic.Int64
}

func (k countedKeys) Current() keyaccess.Set { return countedSet{k.Keys.Current(), k.checks} }

type countedRemote struct {
	keyaccess.Remote

	checks *atomic.Int64
}

func (r countedRemote) Current() keyaccess.Set { return countedSet{r.Remote.Current(), r.checks} }

func (r countedRemote) Seek(ctx context.Context, seen keyaccess.Set) error {
	return r.Remote.Seek(ctx, seen.(countedSet).Set)
}

type countedSet struct {
	keyaccess.Set

	checks *atomic.Int64
}

func (s countedSet) Find(header jose.Header, at time.Time) (candidates []keyaccess.VerificationKey, named bool) {
	found, named := s.Set.Find(header, at)
	for _, key := range found {
		candidates = append(candidates, countedKey{key, s.checks})
	}
	return candidates, named
}

type countedKey struct {
	keyaccess.VerificationKey

	checks *atomic.Int64
}

func (k countedKey) Verify(signingInput string, signature []byte) bool {
	k.checks.Add(1)
	return k.VerificationKey.Verify(signingInput, signature)
}
