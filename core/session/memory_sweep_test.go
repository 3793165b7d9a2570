package session_test

import (
	"errors"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// TestMemoryRoomOfNone checks that a Create that adds no session takes no room.
func TestMemoryRoomOfNone(t *testing.T) {
	t.Parallel()
	refuse := session.Bound{Max: 1, Refuse: true}
	for _, row := range []struct {
		name   string
		create func(m *session.Memory, n session.New) error
		want   error
	}{
		{"the same session again", func(m *session.Memory, n session.New) error {
			_, err := m.Create(t.Context(), n, refuse)
			return err
		}, nil},
		{"one too many", func(m *session.Memory, _ session.New) error {
			_, err := create(t, m, "alice", refuse)
			return err
		}, session.ErrTooMany},
	} {
		m, _ := newMemory(2)
		n, _ := newSession("alice")
		if _, err := m.Create(t.Context(), n, refuse); err != nil {
			t.Fatal(err)
		}
		if err := row.create(m, n); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v; want %v", row.name, err, row.want)
		}
		if _, err := create(t, m, "bob", refuse); err != nil {
			t.Errorf("%s: then got %v; want room for another session", row.name, err)
		}
	}
}
