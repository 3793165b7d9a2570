package jwtgatetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// runOwners tests that owners that differ in any part have no sessions in common,
// whatever bytes their parts have.
func runOwners(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	const long = 3000
	s := newSessions(t, newStore)
	tag := s.owner.Subject // of this test alone
	owners := []session.Owner{{Issuer: tag, Audience: tag, Subject: tag}, {Subject: tag}}
	for _, parts := range [][3]string{
		{"a", "b", "c"}, {"b", "a", "c"}, {"a", "c", "b"}, {"A", "b", "c"}, {"a", "B", "c"}, {"a", "b", "C"}, {"a", "b", "c "},
		{"ab", "", "c"}, {"", "ab", "c"}, {"", "", "abc"}, {"abc", "", ""}, {"", "abc", ""}, {"a", "bc", ""}, {"a", "", "bc"},
		{"a:b", "c", ""}, {"a", "b:c", ""}, {"a", "b", ":c"}, {"a:", "b", "c"}, {"a", ":b", "c"}, {"a|b", "c", "d"}, {"a", "b|c", "d"}, {"a/b", "c", "d"}, {"a", "b/c", "d"},
		{"a\x00b", "c", "d"}, {"a", "b\x00c", "d"}, {"a\nb", "c", "d"}, {"a", "b\nc", "d"}, {"a\x1fb", "c", "d"}, {"a", "b\x1fc", "d"},
		{"a\x00\x00\x00\x00\x00\x00\x00\x00b", "c", "d"}, {"a", "b\x00\x00\x00\x00\x00\x00\x00\x00c", "d"},
		{"1:a", "b", "c"}, {"1", ":ab", "c"}, {"1:1:a", "b", "c"}, {"1", "1:a", "bc"}, {"{a}", "b", "c"}, {"a", "{b}", "c"}, {"%61", "b", "c"}, {"\\a", "b", "c"},
		{"\xff", "b", "c"}, {"\xfe", "b", "c"}, {"\xef\xbf\xbd", "b", "c"}, {"a", "\xff", "c"}, {"a", "\xfe", "c"}, {"a", "b", "\xff"}, {"a", "b", "\xfe"}, {"é", "b", "c"}, {"e\u0301", "b", "c"},
		{strings.Repeat("x", long), "b", "c"}, {strings.Repeat("x", long+1), "b", "c"}, {"a", strings.Repeat("x", long), "c"}, {"a", strings.Repeat("x", long+1), "c"},
		{"a", "b", strings.Repeat("x", long)}, {"a", "b", strings.Repeat("x", long+1)},
	} {
		owners = append(owners, session.Owner{Issuer: parts[0], Audience: parts[1], Subject: parts[2] + tag})
		if parts[2] != "" {
			owners = append(owners, session.Owner{Issuer: parts[0] + tag, Audience: parts[1], Subject: parts[2]})
		}
	}
	all := make([]session.ID, len(owners))
	for i, owner := range owners {
		n, _ := newSession(owner)
		all[i] = n.ID
		s.createAs(n, session.Bound{Max: 1}) // the bound is for one owner
	}
	for i, owner := range owners {
		got := s.list(owner)
		if !slices.Equal(ids(got), all[i:i+1]) || got[0].Owner != owner {
			t.Errorf("%q: listed %+v, want the session %v", owner, got, all[i])
		}
		if r, found := s.find(all[i]); !found || r.Owner != owner {
			t.Errorf("%q: found %v, record %+v", owner, found, r)
		}
	}
	for i, owner := range owners {
		if got := s.endAll(owner); !slices.Equal(got, all[i:i+1]) {
			t.Errorf("%q: ended %v, want %v", owner, got, all[i])
		}
	}
}

// runPages tests lists in pages.
func runPages(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	after := func(r session.Record) session.Cursor { return session.Cursor{Created: r.Created, ID: r.ID} }
	pages := func(s *sessions, limit int, between func(last session.Record)) (all []session.ID) {
		var cursor session.Cursor
		for {
			page := s.page(s.owner, cursor, limit)
			if len(page) > limit {
				t.Fatalf("listed %d sessions, want at most %d", len(page), limit)
			}
			if all = append(all, ids(page)...); len(all) > 1000 {
				t.Fatalf("listed %d sessions so far, more than there are: the pages do not end", len(all))
			}
			if len(page) < limit {
				return all
			}
			cursor = after(page[limit-1])
			between(page[limit-1])
		}
	}
	nothing := func(session.Record) {}
	t.Run("every session once", func(t *testing.T) {
		const some = 23
		s := newSessions(t, newStore)
		var want []session.ID
		for range some {
			want = append(want, s.create().ID)
		}
		s.end(s.create().ID)
		for _, limit := range []int{1, 2, 7, some - 1, some, some + 1} {
			if got := pages(s, limit, nothing); !slices.Equal(got, want) {
				t.Errorf("in pages of %d: listed %v, want %v", limit, got, want)
			}
		}
	})
	t.Run("created at the same time", func(t *testing.T) {
		const some = 40
		s := newSessions(t, newStore)
		var want []session.ID
		for range some {
			n, _ := newSession(s.owner) // without a tick in between
			s.createAs(n, session.Bound{})
			want = append(want, n.ID)
		}
		whole := pages(s, some+1, nothing)
		if !sameIDs(whole, want) {
			t.Fatalf("listed %v, want %v in any order", whole, want)
		}
		for _, limit := range []int{1, 3, some} {
			if got := pages(s, limit, nothing); !slices.Equal(got, whole) {
				t.Errorf("in pages of %d: listed %v, want %v", limit, got, whole)
			}
		}
		ends := func(last session.Record) { s.end(last.ID) } // a cursor of a session that is gone works
		if got := pages(s, 3, ends); !slices.Equal(got, whole) {
			t.Errorf("while sessions end: listed %v, want %v", got, whole)
		}
	})
	t.Run("after a session that is gone", func(t *testing.T) {
		s := newSessions(t, newStore)
		first, second, third := s.create(), s.create(), s.create()
		r, _ := s.find(second.ID)
		s.end(second.ID)
		if got := ids(s.page(s.owner, after(r), 10)); !slices.Equal(got, []session.ID{third.ID}) {
			t.Errorf("listed %v after %v, want %v", got, second.ID, third.ID)
		}
		s.end(third.ID)
		if got := ids(s.page(s.owner, after(r), 10)); len(got) != 0 {
			t.Errorf("listed %v after %v, want none", got, second.ID)
		}
		if got := s.live(); !slices.Equal(got, []session.ID{first.ID}) {
			t.Errorf("listed %v, want %v", got, first.ID)
		}
	})
	t.Run("after sessions of others", func(t *testing.T) {
		s := newSessions(t, newStore)
		mine := s.create()
		n, _ := newSession(with(s.owner, "'s neighbour"))
		s.tick()
		other := s.createAs(n, session.Bound{})
		if got := s.page(s.owner, after(other), 10); len(got) != 0 {
			t.Errorf("listed %+v after another's session, want none", got)
		}
		if r, _ := s.find(mine.ID); len(s.page(other.Owner, after(r), 10)) != 1 {
			t.Error("listed no session of another owner, want one")
		}
	})
}
