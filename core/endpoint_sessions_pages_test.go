package jwtgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// withoutBound is an option: a subject can have any number of sessions.
func withoutBound(c *jwtgate.Config) { c.Sessions.MaxSessions = -1 }

// listPage returns a page of the sessions of access's subject, and the query of the next one.
func (s *testServer) listPage(access, query string) (infos []jwtgate.SessionInfo, next string) {
	s.tb.Helper()
	res := s.send(s.ListSessions, withToken(jwtgate.Request{Method: http.MethodGet, Query: query}, access))
	if err := json.Unmarshal(res.Body, &infos); res.text != "200" || err != nil {
		s.tb.Fatalf("query %q: got %s %s", query, res.text, res.Body)
	}
	for _, f := range res.Header {
		if f.Name == "Link" {
			link, rest, _ := strings.Cut(f.Value, `>; rel="next"`)
			var ok bool
			if next, ok = strings.CutPrefix(link, "<?"); !ok || rest != "" {
				s.tb.Fatalf("got Link %s", f.Value)
			}
		}
	}
	return infos, next
}

// TestListSessionsInPages checks that a subject with many sessions gets each of them once, in
// pages of 100, although some sessions end in between.
func TestListSessionsInPages(t *testing.T) {
	t.Parallel()
	for _, some := range []int{99, 100, 101, 250} {
		s := newTestServer(t, withoutBound)
		var want []string
		var last reply
		for i := range some {
			last = s.login("alice")
			want = append(want, sidOf(t, last.Access))
			if i%10 == 9 {
				s.clock.Advance(time.Millisecond)
			}
		}
		var got []string
		current := 0
		query := ""
		for page := 0; ; page++ {
			infos, next := s.listPage(last.Access, query)
			for _, info := range infos {
				got = append(got, info.ID)
				if info.Current {
					current++
				}
			}
			if wanted := min(100, some-100*page); len(infos) != wanted || (next != "") != (some > 100*(page+1)) {
				t.Errorf("%d sessions: page %d has %d, next %q; want %d", some, page, len(infos), next, wanted)
			}
			if next == "" {
				break
			}
			if err := s.EndSession(t.Context(), infos[99].ID); err != nil {
				t.Fatal(err)
			}
			query = next
		}
		if sortedWords(got) != sortedWords(want) || current != 1 {
			t.Errorf("%d sessions: listed %d, %d of them current; want each once, and the current one", some, len(got), current)
		}
	}
}

// TestSessionsInPages is TestListSessionsInPages for the method of Auth.
func TestSessionsInPages(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withoutBound)
	want := map[string]bool{}
	for range 205 {
		want[sidOf(t, s.login("alice").Access)] = true
	}
	pages, after := 0, ""
	for more := true; more; pages++ {
		infos, next, err := s.Sessions(t.Context(), "alice", after)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range infos {
			if !want[info.ID] {
				t.Errorf("listed %s twice, or it is no session", info.ID)
			}
			delete(want, info.ID)
		}
		after, more = next, next != ""
	}
	if pages != 3 || len(want) != 0 {
		t.Errorf("got %d pages, and %d sessions are missing; want 3, none", pages, len(want))
	}
}

// TestSessionsQuery checks queries that are not those of a Link field.
func TestSessionsQuery(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice := s.login("alice")
	sid := sidOf(t, alice.Access)
	for _, row := range []struct{ query, want string }{
		{"", "200"},
		{"page=2", "200"},
		{"after=", "200"},
		{"after=0." + sid, "200"},
		{"after=9007199254740991." + sid, "200"},
		{"after=9007199254740992." + sid, "400 malformed_request"},
		{"after=-1." + sid, "400 malformed_request"},
		{"after=" + sid, "400 malformed_request"},
		{"after=0." + sid[1:], "400 malformed_request"},
		{"after=0", "400 malformed_request"},
		{"after=0." + sid + "&x=%zz", "400 malformed_request"},
		{"after=%00", "400 malformed_request"},
		{strings.Repeat("a", 10_000), "200"},
	} {
		s.store.taken()
		if got := s.send(s.ListSessions, withToken(jwtgate.Request{Method: http.MethodGet, Query: row.query}, alice.Access)).text; got != row.want {
			t.Errorf("%.40q: got %s; want %s", row.query, got, row.want)
		}
		if calls := s.store.taken(); (calls != "") != (row.want == "200") {
			t.Errorf("%.40q: got store calls %q", row.query, calls)
		}
	}
	if _, _, err := s.Sessions(context.Background(), "alice", "x"); err == nil {
		t.Error("Sessions: got no error for a place that no page has named")
	}
}
