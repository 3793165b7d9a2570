package keys

import (
	"crypto"
	"hash"
	"sync"
)

// inputs is a pool of the buffers and hash states that signature checks need, because
// allocating them takes longer than an HMAC check. It is safe for concurrent use.
type inputs struct{ pool sync.Pool }

// An input has the hash state and the buffers of one check.
type input struct {
	hash  hash.Hash // nil if the algorithm takes the text without hashing it first
	bytes []byte    // the text, because a hash.Hash does not take a string
	sum   []byte
}

// newInputs returns inputs for the hash h, or for an algorithm without a hash if h is
// zero.
func newInputs(h crypto.Hash) *inputs {
	if h == 0 {
		return newInputsBy(func() hash.Hash { return nil })
	}
	return newInputsBy(h.New)
}

// newInputsBy returns inputs whose hash states are made by newHash.
func newInputsBy(newHash func() hash.Hash) *inputs {
	return &inputs{sync.Pool{New: func() any { return &input{hash: newHash()} }}}
}

func (p *inputs) get() *input  { return p.pool.Get().(*input) }
func (p *inputs) put(i *input) { p.pool.Put(i) }

// digest returns the hash of text, or text itself if there is no hash. The result is
// valid until i is used again.
func (i *input) digest(text string) []byte {
	i.bytes = append(i.bytes[:0], text...)
	if i.hash == nil {
		return i.bytes
	}
	i.hash.Reset()
	i.hash.Write(i.bytes)
	i.sum = i.hash.Sum(i.sum[:0])
	return i.sum
}
