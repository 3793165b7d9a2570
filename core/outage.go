package jwtgate

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// An outage is a kind of failure on the server's side that can last, and then concern
// every request.
type outage struct {
	text  string
	over  string // the text when it is over; empty if only the absence of failures tells
	cause string // tells outages with the same text apart
}

var (
	outageReading = outage{text: "the session store cannot be read", over: "the session store can be read again"}
	outageWriting = outage{text: "the session store cannot be written to", over: "the session store can be written to again"}
	outageHanging = outage{text: "the session store hangs: requests that need it are answered 503 at once", over: "the session store answers again"}
	outageFeed    = outage{text: "the feed of revocations has ended and is read again", over: "the feed of revocations works again"}
	outageLag     = outage{text: errUnconfirmed.Error(), over: "the revocations are known again"}
	outageEmptied = outage{text: "the session store has lost its data: sessions that began before are over, and access tokens that were revoked before may be accepted until they expire"}
)

// outageInternal is the outage for an internal error that is logged nowhere else.
func outageInternal(cause error) outage {
	text := cause.Error()
	return outage{text: "internal error", cause: text[:min(len(text), 100)]}
}

// outages logs outages at error level: the first failure at once, and further ones as a
// sum, at most once a minute, however many requests fail.
type outages struct {
	logger *slog.Logger // nil stands for slog.Default()
	closed atomic.Bool

	open    atomic.Int32 // the number of outages that are not over
	mu      sync.Mutex
	current map[outage]*outageState
}

// An outageState is kept from the first failure until a minute after the end.
type outageState struct {
	since time.Time
	count int   // of failures since the last line
	last  []any // the attributes of the last failure
	over  bool  // a further failure within the minute is only counted
	told  bool  // the last line says that there is an outage
}

const (
	outagePause = time.Minute // between two lines about the same outage

	// maxOutages bounds how many internal errors are told apart by their text, because
	// the text can be different for each request.
	maxOutages = 8
)

// A logLine is a line to be logged without a lock.
type logLine struct {
	level slog.Level
	text  string
	args  []any
}

// failed logs or counts a failure.
func (o *outages) failed(ctx context.Context, what outage, cause error, args ...any) {
	args = append([]any{"cause", cause}, args...)
	if o.count(what, args) {
		o.log(ctx, &logLine{slog.LevelError, what.text, args})
	}
}

// count counts a failure, and reports whether it is the first of an outage.
func (o *outages) count(what outage, args []any) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.current[what]
	if s == nil && len(o.current) >= maxOutages && what.cause != "" {
		what.cause = "others"
		s = o.current[what]
	}
	if s == nil {
		if o.current == nil {
			o.current = make(map[outage]*outageState)
		}
		s = &outageState{since: time.Now(), told: true}
		o.current[what] = s
		o.open.Add(1)
		o.later(what, s)
		return true
	}
	if s.over {
		s.over, s.since = false, time.Now()
		o.open.Add(1)
	}
	s.count, s.last = s.count+1, args
	return false
}

// works is called when what is known not to fail. It costs next to nothing if there is
// no outage.
func (o *outages) works(what outage) {
	if o.open.Load() == 0 {
		return
	}
	o.mu.Lock()
	var line *logLine
	if s := o.current[what]; s != nil && !s.over {
		s.over = true
		o.open.Add(-1)
		line = s.end(what)
	}
	o.mu.Unlock()
	o.log(context.Background(), line)
}

// end returns the line about the end of an outage, nil if the last line said so already.
func (s *outageState) end(what outage) *logLine {
	if !s.told {
		return nil
	}
	text := what.over
	if text == "" {
		text = "this has not happened again for a minute: " + what.text
	}
	line := &logLine{slog.LevelInfo, text, []any{"since", s.since, "more", s.count}}
	s.told, s.count = false, 0
	return line
}

// later calls sumUp in a minute.
func (o *outages) later(what outage, s *outageState) {
	time.AfterFunc(outagePause, func() { o.log(context.Background(), o.sumUp(what, s)) })
}

// sumUp returns the line about the failures of the last minute, nil if there were none.
func (o *outages) sumUp(what outage, s *outageState) (line *logLine) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed.Load():
		return nil
	case s.count > 0:
		line = &logLine{slog.LevelError, what.text, append(s.last, "since", s.since, "more", s.count)}
		s.count, s.told = 0, true
	case s.over, what.over == "":
		if !s.over {
			o.open.Add(-1)
		}
		delete(o.current, what)
		return s.end(what)
	}
	o.later(what, s)
	return line
}

func (o *outages) log(ctx context.Context, line *logLine) {
	if line == nil {
		return
	}
	logger := o.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Log(ctx, line.level, line.text, line.args...)
}
