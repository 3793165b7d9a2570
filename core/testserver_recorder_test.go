package jwtgate_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A recorder keeps what a testServer says: its events, its log and its refusals. It
// also keeps the tokens that the server issued, to check that nothing else repeats
// them. It is safe for concurrent use.
type recorder struct {
	mu       sync.Mutex
	pending  []jwtgate.Event   // not yet returned by events
	log      bytes.Buffer      // log lines, and events already returned
	refusals map[string]string // the first body of each kind
	secrets  []string
}

// events returns the events since the last call, one a line: the kind, the subject
// and the session ID, followed by " as " and the
// username, " from " and the address, " by " and the user agent, and ": " and the error,
// as far as the event has them.
func (s *testServer) events() string { return s.recorder.events() }

// countEvents returns how many of the events that the next call of events returns
// are of kind.
func (s *testServer) countEvents(kind jwtgate.EventKind) int {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	n := 0
	for _, e := range s.recorder.pending {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// event is the server's Config.Events.
func (r *recorder) event(_ context.Context, e jwtgate.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, e)
}

func (r *recorder) events() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, e := range r.pending {
		line := string(e.Kind)
		if e.Subject != "" {
			line += " " + e.Subject
		}
		if e.SessionID != "" {
			line += " " + e.SessionID
		}
		if e.Username != "" {
			line += " as " + e.Username
		}
		if e.Address.IsValid() {
			line += " from " + e.Address.String()
		}
		if e.UserAgent != "" {
			line += " by " + e.UserAgent
		}
		if e.Err != nil {
			line += ": " + e.Err.Error()
		}
		lines = append(lines, line)
	}
	r.log.WriteString(strings.Join(lines, "\n"))
	r.pending = nil
	return strings.Join(lines, "\n")
}

// Write records lines of the log.
func (r *recorder) Write(lines []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(lines)
}

// addSecrets records tokens that the server issued.
func (r *recorder) addSecrets(tokens ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, tokens...)
}

// firstBody records body unless a refusal of the same kind was recorded before. It
// returns the recorded one.
func (r *recorder) firstBody(kind, body string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusals == nil {
		r.refusals = make(map[string]string)
	}
	if _, known := r.refusals[kind]; !known {
		r.refusals[kind] = body
	}
	return r.refusals[kind]
}

// check reports secrets in the log, the events and the refusals.
func (r *recorder) check(tb testing.TB) {
	tb.Helper()
	r.events()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.log.String()
	for _, body := range r.refusals {
		text += "\n" + body
	}
	for _, secret := range r.secrets {
		// The last third of a token is its signature or its MAC, which must not
		// leak either.
		if strings.Contains(text, secret[len(secret)*2/3:]) {
			tb.Errorf("got a token in log, events or refusals:\n%.10000s", text)
			return
		}
	}
	for _, secret := range [][]byte{signingSecret, refreshSecret, []byte("wonderland")} {
		if strings.Contains(text, string(secret)) || strings.Contains(text, base64.StdEncoding.EncodeToString(secret)) {
			tb.Errorf("got a key or a password in log, events or refusals:\n%.10000s", text)
			return
		}
	}
}

// warnings returns how many lines of the log have text.
func (s *testServer) warnings(text string) int {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return strings.Count(s.recorder.log.String(), text)
}

// observing returns observers that call event for events.
func observing(event func(context.Context, jwtgate.Event)) []jwtgate.Observer {
	return []jwtgate.Observer{{Event: event}}
}
