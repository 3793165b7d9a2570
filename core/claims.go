package jwtgate

import (
	"context"
	"errors"
)

// ErrNoIdentity is what [Claims] returns for a context without an identity: the
// route is not protected, its visitor is anonymous, or the context is not the
// request's own. In Gin that is c.Request.Context(), in Fiber c.UserContext().
var ErrNoIdentity = errors.New("jwtgate: the context has no identity")

// Claims returns the claims of the token that the request with ctx was judged
// by, decoded from JSON into a T that is the caller's own. It fails with
// [ErrNoIdentity], or with the decoder's error for claims that do not fit T;
// [ClaimsOf] refuses such tokens before the handler runs.
//
// For a token seen before, the caller gets a copy of what was decoded then, at a
// tenth of the cost, and UnmarshalJSON is not asked again. A T that may hold an
// interface, as a map of any value does, or pointers that an UnmarshalJSON has set,
// is decoded every time: what is in it can't be copied safely.
func Claims[T any](ctx context.Context) (T, error) {
	id, ok := IdentityFrom(ctx)
	if !ok {
		var zero T
		return zero, ErrNoIdentity
	}
	return decodeClaims[T](id, id.kept)
}

// IdentityFrom returns the identity that the request with ctx was judged to
// have, and false if it has none.
func IdentityFrom(ctx context.Context) (*Identity, bool) {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok || v.identity == nil {
		return nil, false
	}
	return v.identity, true
}

// visit is the context of a request that was let through: the identity, nil for
// an anonymous one, and what later guards of the same request must know.
type visit struct {
	context.Context

	auth     *Auth
	identity *Identity
	cookie   bool // judged by its cookies
}

// visit returns ctx, that of a request which a let through, with id in it.
func (a *Auth) visit(ctx context.Context, id *Identity, cookie bool) *visit {
	if !cookie && ctx == context.Background() {
		return &id.alone
	}
	return &visit{Context: ctx, auth: a, identity: id, cookie: cookie}
}

type visitKey struct{}

// Value makes v findable from every context derived from it.
func (v *visit) Value(key any) any {
	if key == (visitKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// visitOf returns the visit that a put into ctx. Another Auth's does not count:
// what one lets through, the next must still judge.
func visitOf(ctx context.Context, a *Auth) *visit {
	for {
		v, ok := ctx.Value(visitKey{}).(*visit)
		if !ok || v.auth == a {
			return v
		}
		ctx = v.Context
	}
}

// onTop returns ctx with v as what [IdentityFrom] finds: guards of another Auth
// may stand between v and ctx.
func (v *visit) onTop(ctx context.Context) context.Context {
	if ctx.Value(visitKey{}) == v {
		return ctx
	}
	return &visit{Context: ctx, auth: v.auth, identity: v.identity, cookie: v.cookie}
}

// nobody returns ctx for a visitor whom a let through without credentials, so
// that the identity which another Auth found is not taken for one of a.
func (a *Auth) nobody(ctx context.Context) context.Context {
	if _, known := IdentityFrom(ctx); !known {
		return ctx
	}
	return &visit{Context: ctx, auth: a}
}
