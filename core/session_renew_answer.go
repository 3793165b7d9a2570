package jwtgate

import (
	"context"
	"sync/atomic"
	"time"
)

// StripConditional calls del with the name of each header field that must be removed
// from a renewed request before the handler runs: those of conditional and of range
// requests (RFC 9110 §13 and §14). Its answer carries cookies, so it must be neither
// a 304, which a cache would merge with a stored answer, nor a part of one. For other
// requests it does nothing.
func (d *Decision) StripConditional(del func(name string)) {
	if d.Renewed {
		for _, name := range [...]string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"} {
			del(name)
		}
	}
}

// Commit puts the new cookies of a renewed request into the header of its answer, and
// the fields that keep every cache from storing the answer. It replaces what handlers
// have set, but keeps cookies with other names. For other requests it does nothing.
//
// Call it as late as the framework allows. An answer that is sent without Commit has
// neither cookie: the browser keeps its old ones, and its next request is renewed.
//
// Frameworks that are built on net/http use CommitWriter instead. The method DelCookie
// of header must remove the Set-Cookie line of the cookie called name, and nothing from
// the browser.
func (d *Decision) Commit(header interface {
	Add(name, value string)
	Set(name, value string)
	DelCookie(name string)
},
) {
	if d.Renewed {
		d.renewal.commit(header)
	}
}

// A renewal has what the answer to a renewed request needs, or the answer to a request
// whose session is over, which deletes the cookies. The cookies are put into
// the header only when it is sent, because handlers, timeouts and proxies replace
// header fields, and a cookie without the other, or with a Cache-Control that lets
// caches store it, is worse than none.
type renewal struct {
	cookies *cookies
	fields  []Field   // both cookies, and those for caches
	until   time.Time // when it is too late for the cookies; zero for never
	now     func() time.Time

	// superseded says that the answer has other cookies than those of the renewal:
	// while the request was handled, the browser was signed in or out.
	superseded atomic.Bool
}

// final returns the header fields that the answer must have. It is called when the
// header is about to be sent, and is the only place that decides about the cookies.
func (r *renewal) final() []Field {
	if r.superseded.Load() || !r.until.IsZero() && r.now().After(r.until) {
		return uncacheable
	}
	return r.fields
}

// defaultAnswerTime is answerTime without a ReuseWindow.
const defaultAnswerTime = 5 * time.Second

// answerTime returns how long after a rotation an answer may begin that has its
// cookies: half of the ReuseWindow. The cookies of a later answer could replace those
// of the next rotation, and the browser would then present a token that is stale. An
// answer without cookies is one that was lost: the next request of the browser gets
// the same successor.
func (s *sessions) answerTime() time.Duration {
	if s.ReuseWindow == 0 {
		return defaultAnswerTime
	}
	return s.ReuseWindow / 2
}

// commit is [Decision.Commit].
func (r *renewal) commit(header answerHeader) {
	r.withhold(header)
	res := Response{Header: r.final()}
	res.CopyHeader(header)
}

// withhold removes both cookies from header, unless they are not those of r.
func (r *renewal) withhold(header answerHeader) {
	if !r.superseded.Load() {
		header.DelCookie(r.cookies.access)
		header.DelCookie(r.cookies.refresh)
	}
}

// An answerHeader is the header of an answer: see [Decision.Commit].
type answerHeader interface {
	Add(name, value string)
	Set(name, value string)
	DelCookie(name string)
}

// supersedeRenewal is called when an answer within the request with ctx sets or
// deletes the cookies: if a guard has renewed the request before, its cookies are of
// a session that is over.
func (a *Auth) supersedeRenewal(ctx context.Context) {
	if v := visitOf(ctx, a); v != nil && v.renewal != nil {
		v.renewal.superseded.Store(true)
	}
}
