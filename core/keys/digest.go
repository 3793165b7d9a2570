package keys

import (
	"crypto"
	"hash"
	"sync"
)

// inputs are the buffers and hash states that signature checks need, kept for the
// next check: allocating them costs more than a check of HMAC. They are safe for
// concurrent use.
type inputs struct{ pool sync.Pool }

// An input is what one check needs.
type input struct {
	hash  hash.Hash // nil if the algorithm takes the input itself
	bytes []byte    // hash.Hash takes no string
	sum   []byte
}

// newInputs returns inputs that are hashed by h, or not at all if h is zero.
func newInputs(h crypto.Hash) *inputs {
	if h == 0 {
		return newInputsBy(func() hash.Hash { return nil })
	}
	return newInputsBy(h.New)
}

// newInputsBy returns inputs with hash states made by newHash.
func newInputsBy(newHash func() hash.Hash) *inputs {
	return &inputs{sync.Pool{New: func() any { return &input{hash: newHash()} }}}
}

func (p *inputs) get() *input  { return p.pool.Get().(*input) }
func (p *inputs) put(i *input) { p.pool.Put(i) }

// digest returns the hash of text, valid until i is used again.
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
