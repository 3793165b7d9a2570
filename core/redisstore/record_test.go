package redisstore_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// The parts of a record before and behind its ID.
var (
	recordHead = "\x01" + strings.Repeat("\x00", 85)
	recordTail = strings.Repeat("\x01", 32) + "\x00\x00\x00\x07" + strings.Repeat("\x00\x00\x00\x05alice", 4)
)

// Every value decodes to a record, or is an error.
func FuzzRecord(f *testing.F) {
	id := session.NewID(ownerOf("alice")).String()
	head, tail := recordHead, recordTail
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

// A record that is cut off at any byte is an error.
func TestRecordCutOff(t *testing.T) {
	t.Parallel()
	whole := recordHead + session.NewID(ownerOf("alice")).String() + recordTail
	if r, err := redisstore.Record(whole); err != nil || r.UserAgent != "alice" || r.Note != 7 {
		t.Fatalf("got %+v and error %v; want a record with the note 7 and the user agent alice", r, err)
	}
	for n := range len(whole) {
		if _, err := redisstore.Record(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes: got no error; want one", n, len(whole))
		}
	}
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
