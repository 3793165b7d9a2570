package redisstore_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// A later version has written the record of one session in a way that this version
// cannot read. That session cannot be refreshed here, but it can be ended, and the
// others of its owner and of its slot are not affected.
func TestRecordOfLaterVersion(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	f := follow(t, store)
	later := func() session.Presented {
		p := create(t, store, "alice")
		server.do("SETRANGE", store.Slots()[p.ID.Slot()%16]+":session:"+p.ID.String(), 0, "\xff")
		return p
	}
	first, mine, second := later(), create(t, store, "alice"), later()
	if _, found, err := store.Find(t.Context(), first.ID); found || err == nil || !strings.Contains(err.Error(), "version 255") {
		t.Errorf("Find: got found %v, error %v; want one that names the version", found, err)
	}
	if _, _, err := store.Advance(t.Context(), first, openWindow); err == nil || !strings.Contains(err.Error(), "version 255") {
		t.Errorf("Advance: got error %v; want one that names the version", err)
	}

	advance(t, store, mine, openWindow, session.Rotated, 1)
	uses := []session.Confirmation{{ID: first.ID, Generation: 1}, {ID: mine.ID, Generation: 1}}
	if err := store.Confirm(t.Context(), uses, openWindow); err != nil {
		t.Errorf("Confirm: got error %v; want none", err)
	}
	if r, _, _ := store.Find(t.Context(), mine.ID); r.Used.IsZero() {
		t.Error("Confirm does not reach the session after the one that cannot be read")
	}
	if got := listed(t, store, "alice"); !sameIDs(got, []session.ID{mine.ID}) {
		t.Errorf("List: got %v; want %v", got, mine.ID)
	}
	n, _ := newSession("alice")
	if _, err := store.Create(t.Context(), n, session.Bound{Max: 2, Refuse: true}); err != nil {
		t.Errorf("Create: got error %v; want none", err)
	}

	if live, err := store.End(t.Context(), first.ID, remember); !live || err != nil {
		t.Errorf("End: got live %v, error %v; want true", live, err)
	}
	f.hears("the end of a session that cannot be read", ofSession(first.ID))
	ended, _, err := store.EndAll(t.Context(), all("alice"))
	if want := []session.ID{mine.ID, second.ID, n.ID}; !sameIDs(ended, want) || err != nil {
		t.Errorf("EndAll: got %v, error %v; want %v", ended, err, want)
	}
	f.hears("the end of another", ofSession(second.ID))
	if _, verdict, err := store.Advance(t.Context(), second, openWindow); verdict != session.Unknown || err != nil {
		t.Errorf("Advance after its end: got verdict %d, error %v; want %d", verdict, err, session.Unknown)
	}
}
