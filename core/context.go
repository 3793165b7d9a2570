package jwtgate

import (
	"context"
	"errors"
)

// ErrNoIdentity is the error of [Claims] for a context without an identity: the
// route is not protected, the visitor is anonymous, or the context is not the
// request's own. The request's own context is c.Request.Context() in Gin,
// c.UserContext() in Fiber v2 and c.Context() in Fiber v3.
var ErrNoIdentity = errors.New("jwtgate: the context has no identity")

// IdentityFrom returns the identity of the request with ctx, and false if the
// request has none.
func IdentityFrom(ctx context.Context) (*Identity, bool) {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok || v.identity == nil {
		return nil, false
	}
	return v.identity, true
}

// StoreIdentity calls set with the key and the value that make [IdentityFrom] and
// [Claims] find d's identity, or none for an anonymous request, in a context of the
// framework. It is for adapters of frameworks that have such a [context.Context]
// besides [Decision.Context] and let values be set in it, such as fiber.Ctx.
func (d *Decision) StoreIdentity(set func(key, value any)) {
	set(visitKey{}, d.Context.Value(visitKey{}))
}

// A visit is the context of a request that was let through. It has the identity,
// nil for an anonymous request, and what later guards of the same request need.
type visit struct {
	context.Context

	auth     *Auth
	identity *Identity
	byCookie bool     // the request was judged by its cookies
	renewal  *renewal // nil unless the request was renewed; its token is not in the request yet
	mark     uint64   // of the credential that the request was judged by

	pending *pendingOutcome // nil if no observer wants the outcome
}

type visitKey struct{}

// Value makes v available from every context derived from it.
func (v *visit) Value(key any) any {
	if key == (visitKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// visit returns ctx with the identity of from in it, for a request that a has let
// through.
func (a *Auth) visit(ctx context.Context, from *caller) *visit {
	if len(a.observers.outcome) > 0 {
		return a.observedVisit(ctx, from)
	}
	if !from.cookie && ctx == context.Background() {
		return &from.identity.bearerVisit
	}
	return &visit{Context: ctx, auth: a, identity: from.identity, byCookie: from.cookie, renewal: from.renewed, mark: from.mark}
}

// covers reports whether req would be judged as the request was for which v was
// made: it has the same credential, and passes the check of its origin. An inner
// guard can get another request with the context of the outer one: a handler can
// change the method and dispatch the request again, or make a request of its own.
func (v *visit) covers(req *Request) bool {
	a := v.auth
	found, err := a.credential(req)
	return err == nil && found.cookie == v.byCookie && found.mark(a, v.renewal != nil) == v.mark &&
		(!found.cookie || a.checkOrigin(req) == nil)
}

// visitOf returns the visit that a has put into ctx, or nil. A visit of another
// Auth does not count: a request that one Auth let through must be judged by the
// next Auth too.
func visitOf(ctx context.Context, a *Auth) *visit {
	for {
		v, ok := ctx.Value(visitKey{}).(*visit)
		if !ok || v.auth == a {
			return v
		}
		ctx = v.Context
	}
}

// outermost returns ctx with v as the visit that [IdentityFrom] finds, because
// guards of another Auth may have added theirs after v.
func (v *visit) outermost(ctx context.Context) context.Context {
	if ctx.Value(visitKey{}) == v {
		return ctx
	}
	outermost := *v
	outermost.Context = ctx
	return &outermost
}

// anonymousVisit returns ctx for a request that a let through without an identity, so
// that the identity found by another Auth is not taken for one of a's, and that an inner
// guard does not report the request again.
func (a *Auth) anonymousVisit(ctx context.Context, from *caller) context.Context {
	if len(a.observers.outcome) > 0 {
		return a.observedVisit(ctx, &caller{cookie: from.cookie, renewed: from.renewed})
	}
	if _, known := IdentityFrom(ctx); !known && from.renewed == nil {
		return ctx
	}
	return &visit{Context: ctx, auth: a, byCookie: from.cookie, renewal: from.renewed}
}
