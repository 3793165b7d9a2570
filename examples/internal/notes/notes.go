// Package notes keeps the notes of each user in memory.
package notes

import (
	"slices"
	"strings"
	"sync"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A Note is what a user wrote down.
type Note struct {
	Text string `json:"text"`
}

// A Board has the notes of all users. It is safe for concurrent use.
type Board struct {
	mu    sync.Mutex
	notes map[author][]Note
}

// author is who wrote a note. Another issuer's alice is someone else.
type author struct{ issuer, subject string }

// NewBoard returns an empty Board.
func NewBoard() *Board { return &Board{notes: make(map[author][]Note)} }

// Add stores a note of id. It copies the text, which may be in a buffer that the
// next request overwrites (Fiber has such).
func (b *Board) Add(id *jwtgate.Identity, note Note) {
	note.Text = strings.Clone(note.Text)
	b.mu.Lock()
	defer b.mu.Unlock()
	by := author{id.Issuer(), id.Subject()}
	b.notes[by] = append(b.notes[by], note)
}

// Of returns the notes of id, the oldest first, and never nil.
func (b *Board) Of(id *jwtgate.Identity) []Note {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Note{}, slices.Clone(b.notes[author{id.Issuer(), id.Subject()}])...)
}
