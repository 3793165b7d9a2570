package jwtgate

import (
	"sync"

	"github.com/jwtgate/jwtgate/core/session"
)

// watches are the watches of a process, in lists by what a revocation can name: a
// session, a token and a subject. A revocation finds those that it may end without a look
// at the others. The zero value has none.
type watches struct {
	mu    sync.Mutex
	lists map[watchKey]*watchLink // the first of each list
}

// A watchKey is what a revocation names.
type watchKey struct {
	session        session.ID
	token, subject string
}

// watchKeys is how many lists a watch can be in.
const watchKeys = 3

// A watchLink is the place of a watch in a list.
type watchLink struct {
	watch         *watch
	before, after *watchLink
}

// keys calls use with the key of each list that w is in.
func (w *watch) keys(use func(link *watchLink, key watchKey)) {
	id := w.identity
	if sid, ours := id.session(); ours {
		use(&w.links[0], watchKey{session: sid})
	}
	if id.claims.ID != "" {
		use(&w.links[1], watchKey{token: tokenName(id)})
	}
	if id.own && id.claims.Subject != "" {
		use(&w.links[2], watchKey{subject: id.claims.Subject})
	}
}

func (ws *watches) add(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.lists == nil {
		ws.lists = make(map[watchKey]*watchLink)
	}
	w.keys(func(link *watchLink, key watchKey) {
		link.watch, link.after = w, ws.lists[key]
		if link.after != nil {
			link.after.before = link
		}
		ws.lists[key] = link
	})
}

// remove removes w, which add has added.
func (ws *watches) remove(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w.keys(func(link *watchLink, key watchKey) {
		if link.after != nil {
			link.after.before = link.before
		}
		switch {
		case link.before != nil:
			link.before.after = link.after
		case link.after != nil:
			ws.lists[key] = link.after
		default:
			delete(ws.lists, key)
		}
	})
}

// wake checks the watches that r may end.
func (ws *watches) wake(r session.Revocation) {
	for _, w := range ws.list(watchKey{r.Session, r.Token, r.Subject}) {
		w.check()
	}
}

// list returns the watches with key.
func (ws *watches) list(key watchKey) []*watch {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var list []*watch
	for link := ws.lists[key]; link != nil; link = link.after {
		list = append(list, link.watch)
	}
	return list
}

// wakeAll checks all watches.
func (ws *watches) wakeAll() {
	for w := range ws.all() {
		w.check()
	}
}

func (ws *watches) all() map[*watch]bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	all := make(map[*watch]bool)
	for _, link := range ws.lists {
		for ; link != nil; link = link.after {
			all[link.watch] = true
		}
	}
	return all
}
