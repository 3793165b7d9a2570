// Package notes keeps the notes of each user in memory.
package notes

import (
	"slices"
	"strings"
	"sync"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A Note is a text that a user saved.
type Note struct {
	Text string `json:"text"`
}

// A Store holds the notes of all users. It is safe for concurrent use.
type Store struct {
	mu    sync.Mutex
	notes map[author][]Note
}

// An author identifies a user. The same subject of two issuers is two users.
type author struct{ issuer, subject string }

// NewStore returns an empty Store.
func NewStore() *Store { return &Store{notes: make(map[author][]Note)} }

// Add stores a note of id. Add copies the text, because Fiber reuses the buffer
// that contains it for the next request.
func (s *Store) Add(id *jwtgate.Identity, note Note) {
	note.Text = strings.Clone(note.Text)
	s.mu.Lock()
	defer s.mu.Unlock()
	by := author{id.Issuer(), id.Subject()}
	s.notes[by] = append(s.notes[by], note)
}

// Of returns the notes of id, oldest first. The result is never nil.
func (s *Store) Of(id *jwtgate.Identity) []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Note{}, slices.Clone(s.notes[author{id.Issuer(), id.Subject()}])...)
}
