package jwtgate

import (
	"context"
	"net/http"
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
	call := req.call
	o := Outcome{Endpoint: endpoint, Status: answer.Status, Judged: call.judged, Identity: call.identity, Refusal: call.refusal}
	if answer.Status == 0 { // a function of the application panics
		o.Status, o.Code = http.StatusInternalServerError, CodeInternal
	}
	a.report(ctx, req, begin, &o)
}

// begin returns the time at which the work for a request begins, or the zero time if no
// observer wants its outcome.
func (a *Auth) begin() time.Time {
	if a == nil || len(a.observers.outcome) == 0 {
		return time.Time{}
	}
	return time.Now() // not Config.Now, which need not be monotonic
}

// decided reports the decision of a guard about a request that was judged as from says.
// For the guard of an endpoint, it only records that for the outcome of the endpoint. The
// status is zero if the request is let through.
func (a *Auth) decided(ctx context.Context, req *Request, begin time.Time, from *caller, d *Decision) {
	switch {
	case req.call != nil:
		req.call.identity, req.call.judged = from.identity, from.judged
	case begin.IsZero(), from.judged == JudgedBefore && d.Refusal == nil:
	default:
		a.report(ctx, req, begin, &Outcome{Status: d.Response.Status, Judged: from.judged, Identity: from.identity, Refusal: d.Refusal})
	}
}

// report completes o and passes it on.
func (a *Auth) report(ctx context.Context, req *Request, begin time.Time, o *Outcome) {
	o.Method, o.Path, o.Duration = req.Method, req.Path, time.Since(begin)
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
