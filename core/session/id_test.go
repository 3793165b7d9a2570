package session_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

func TestID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{24}$`)
	seen := map[session.ID]bool{}
	for _, subject := range []string{"alice", "alice", "alice", "bob", "", "\xff", strings.Repeat("x", 1000)} {
		id := session.NewID(ownerOf(subject))
		if id.Slot() != ownerOf(subject).Slot() {
			t.Errorf("%q: got slot %d, want %d", subject, id.Slot(), ownerOf(subject).Slot())
		}
		if seen[id] {
			t.Errorf("%q: got ID %v twice", subject, id)
		}
		seen[id] = true
		text := id.String()
		if !form.MatchString(text) {
			t.Errorf("%q: got ID %q, want it like %v", subject, text, form)
		}
		if got, ok := session.ParseID(text); !ok || got != id {
			t.Errorf("%q: got %v, %v parsed, want %v", subject, got, ok, id)
		}
	}
}

// Stores distribute records by slot, so the slot of an owner must never change.
func TestOwnerSlot(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		owner session.Owner
		want  uint16
	}{
		{session.Owner{}, 0x9d90},
		{session.Owner{Subject: "alice"}, 0x2f4e},
		{session.Owner{Audience: "alice"}, 0x1918},
		{session.Owner{Issuer: "a", Audience: "b", Subject: "c"}, 0xbd73},
		{session.Owner{Issuer: "ab", Subject: "c"}, 0x9c24},
		{session.Owner{Issuer: "a", Audience: "bc"}, 0x74f2},
	} {
		if got := row.owner.Slot(); got != row.want {
			t.Errorf("%+v: got slot %#x, want %#x", row.owner, got, row.want)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	const good = "AQIDBAUGBwgJCgsMDQ4PEBES"
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"good", good, true},
		{"all bits", strings.Repeat("_", 24), true},
		{"empty", "", false},
		{"short", good[1:], false},
		{"long", good + "A", false},
		{"twice", good + good, false},
		{"padded", good[:22] + "==", false},
		{"standard alphabet", good[:23] + "/", false},
		{"blank", good[:23] + " ", false},
		{"line break for a character", good[:23] + "\n", false},
		{"line break added", good[:12] + "\r" + good[12:], false},
		{"line breaks for a group", good[:20] + "\r\n\r\n", false},
		{"not ASCII", good[:22] + "é", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			id, ok := session.ParseID(row.text)
			if ok != row.ok || !ok && id != (session.ID{}) || ok && id.String() != row.text {
				t.Errorf("got %v, %v, want %v", id, ok, row.ok)
			}
		})
	}
}
