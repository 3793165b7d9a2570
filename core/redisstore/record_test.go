package redisstore_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// Every value decodes to a record, or is an error.
func FuzzRecord(f *testing.F) {
	id := session.NewID(ownerOf("alice")).String()
	head, tail := "\x01"+strings.Repeat("\x00", 85), strings.Repeat("\x01", 32)+strings.Repeat("\x00\x00\x00\x05alice", 3)+"\x00\x00\x00\x00"
	f.Add(head + id + tail)
	f.Add(head + id + tail[:len(tail)-1])
	f.Add(head + strings.Repeat("?", 24) + tail)
	f.Add(head + id + strings.Repeat("\xff", 40))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		r, err := redisstore.Record(value)
		if err != nil && r != (session.Record{}) {
			t.Errorf("got record %+v and error %v", r, err)
		}
		if err == nil && !strings.Contains(value, r.ID.String()) {
			t.Errorf("got ID %v, which is not in the value", r.ID)
		}
	})
}

// If the value of a key is not a record, Find returns an error, and does not
// report that there is no session.
func TestRecord(t *testing.T) {
	id := session.NewID(ownerOf("alice"))
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	for _, row := range []struct{ name, value string }{
		{"empty", ""}, {"short", "x"}, {"another's", strings.Repeat("x", 200)}, {"of a later version", "\x02" + strings.Repeat("x", 200)},
	} {
		server.do("SET", store.Slots()[id.Slot()%16]+":session:"+id.String(), row.value)
		if _, found, err := store.Find(t.Context(), id); err == nil || found {
			t.Errorf("%s: found %v, error %v, want an error", row.name, found, err)
		}
	}
}
