package jwtgate_test

import (
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
	return countedKeys{opened, s.checks}, problems
}

type countedKeys struct {
	keyaccess.Keys

	checks *atomic.Int64
}

func (k countedKeys) Current() keyaccess.Set { return countedSet{k.Keys.Current(), k.checks} }

type countedSet struct {
	keyaccess.Set

	checks *atomic.Int64
}

func (s countedSet) Find(header jose.Header, at time.Time) keyaccess.VerificationKey {
	key := s.Set.Find(header, at)
	if key == nil {
		return nil
	}
	return countedKey{key, s.checks}
}

type countedKey struct {
	keyaccess.VerificationKey

	checks *atomic.Int64
}

func (k countedKey) Verify(signingInput string, signature []byte) bool {
	k.checks.Add(1)
	return k.VerificationKey.Verify(signingInput, signature)
}
