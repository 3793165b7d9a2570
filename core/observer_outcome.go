package jwtgate

import (
	"cmp"
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// An endpointCall is what is known of a request to an [Endpoint] while it is answered.
// It is nil if no observer wants the outcome.
type endpointCall struct {
	identity *Identity
	judged   Judgement
	refusal  *Refusal
}

// knows records the identity of the request.
func (c *endpointCall) knows(id *Identity) {
	if c != nil {
		c.identity = id
	}
}

// answering is called when an endpoint begins to answer req. The endpoint defers the
// call of answered with the result.
func (a *Auth) answering(req *Request) (begin time.Time) {
	if begin = a.begin(); !begin.IsZero() {
		req.call = &endpointCall{}
	}
	return begin
}

// answered reports the outcome of a request to endpoint.
func (a *Auth) answered(ctx context.Context, endpoint string, req *Request, begin time.Time, answer *Response) {
	if begin.IsZero() {
		return
	}
	guard := visitOf(ctx, a).claimOutcome()
	if guard == nil {
		return
	}
	call := req.call
	o := Outcome{
		Endpoint: endpoint,
		Status:   answer.Status,
		Refusal:  call.refusal,
		Judged:   cmp.Or(call.judged, guard.judged),
		Identity: cmp.Or(call.identity, guard.identity),
		Duration: time.Since(begin),
	}
	if answer.Status == 0 { // a function of the application panics
		o.Status, o.Code = http.StatusInternalServerError, CodeInternal
	}
	a.report(ctx, &o)
}

// begin returns the time at which the work for a request begins, or the zero time if no
// observer wants its outcome.
func (a *Auth) begin() time.Time {
	if a == nil || len(a.observers.outcome) == 0 {
		return time.Time{}
	}
	return time.Now() // not Config.Now, which need not be monotonic
}

// A pendingOutcome is the outcome of a request that a guard has let through, unless an
// inner guard refuses the request, or an endpoint answers it.
type pendingOutcome struct {
	auth     *Auth
	ctx      context.Context
	judged   Judgement
	identity *Identity
	duration time.Duration
	reported atomic.Bool // an outcome of the request
}

// An observedVisit is a visit and its outcome, in one allocation.
type observedVisit struct {
	visit
	pendingOutcome
}

// observedVisit is [Auth.visit] with an outcome that is pending.
func (a *Auth) observedVisit(ctx context.Context, from *caller) *visit {
	o := &observedVisit{visit: visit{Context: ctx, auth: a, identity: from.identity, byCookie: from.cookie, renewal: from.renewed, mark: from.mark}}
	o.pending = &o.pendingOutcome
	return &o.visit
}

// unobserved is the pendingOutcome of requests that have passed no guard.
var unobserved pendingOutcome

// claimOutcome returns the outcome of the guard that made v, which may be nil, so that the
// caller reports another one in its place. It returns nil if one has been reported.
func (v *visit) claimOutcome() *pendingOutcome {
	switch {
	case v == nil || v.pending == nil:
		return &unobserved
	case v.pending.reported.Swap(true):
		return nil
	}
	return v.pending
}

// decided records the decision of a guard about a request that was judged as from says. A
// refusal is reported. For the guard of an endpoint, the decision is a part of the outcome
// of the endpoint.
func (a *Auth) decided(ctx context.Context, req *Request, begin time.Time, from *caller, d *Decision) {
	outer := from.outer
	if outer != nil && outer.pending != nil && from.judged == JudgedNone {
		from.judged = outer.pending.judged
	}
	switch {
	case req.call != nil:
		req.call.identity, req.call.judged = from.identity, from.judged
	case d.Refusal != nil:
		if outer.claimOutcome() != nil {
			a.report(ctx, &Outcome{Status: d.Response.Status, Judged: from.judged, Identity: from.identity, Refusal: d.Refusal, Duration: time.Since(begin)})
		}
	case outer == nil:
		p := visitOf(d.Context, a).pending // the visit is an observed one
		p.auth, p.ctx, p.judged, p.identity, p.duration = a, ctx, from.judged, from.identity, time.Since(begin)
		d.pending = p
	}
}

// Done reports the outcome of a request that was let through to the observers, unless an
// inner guard has refused it, or an endpoint has answered it. Call it when the handler
// has returned; the Protect function of each adapter does. Without a call, such requests
// are not observed. Further calls do nothing.
func (d *Decision) Done() {
	if d.pending != nil { // the rest is a function of its own, so that this one is inlined
		d.pending.done()
	}
}

func (p *pendingOutcome) done() {
	if !p.reported.Swap(true) {
		p.auth.report(p.ctx, &Outcome{Judged: p.judged, Identity: p.identity, Duration: p.duration})
	}
}

// report completes o and passes it on.
func (a *Auth) report(ctx context.Context, o *Outcome) {
	if o.Refusal != nil {
		o.Code = o.Refusal.Code
	}
	if o.Identity != nil {
		o.Issuer = o.Identity.key.issuerOf(&o.Identity.claims)
	} else if o.Refusal != nil {
		if unavailable := keyaccess.AsUnavailable(o.Refusal.Err); unavailable != nil {
			o.Issuer = unavailable.Issuer
		}
	}
	for _, f := range a.observers.outcome {
		f(ctx, *o)
	}
}
