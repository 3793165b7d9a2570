package core

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
)

// A Decision is what to do with a request.
type Decision struct {
	// Response is sent if its Status is not zero, and the handler does not run.
	// Otherwise its header fields are set and the handler runs with Context.
	Response Response

	// Context is the request's context for the handler: the caller's, with the
	// identity in it if there is one.
	Context context.Context

	// Identity is who the request comes from: nil for a visitor without
	// credentials on an [Optional] route, and for every refused request.
	Identity *Identity

	// Refusal is why the request is refused, nil if it is not.
	Refusal *Refusal
}

// Decide judges req by rules. It is what Protect of every adapter calls, and
// the way in for a framework that has none.
//
// If an outer guard of the same Auth let the request through already, ctx has
// the identity, and only the rules are looked at.
func (a *Auth) Decide(ctx context.Context, req Request, rules ...Rule) Decision {
	if a == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth))
	}
	if v := visitOf(ctx, a); v != nil {
		if refusal := judge(ctx, v.identity, rules); refusal != nil {
			return a.refused(ctx, &req, v.cookie, refusal)
		}
		return Decision{Context: ctx, Identity: v.identity}
	}

	found, err := a.credential(&req)
	if err != nil {
		return a.refused(ctx, &req, found.cookie, refuse(CodeMalformedCredentials, err))
	}
	if found.token == "" {
		if anonymous(rules) {
			return Decision{Context: ctx, Response: Response{Header: cacheHeader(false, true)}}
		}
		return a.refused(ctx, &req, false, refuse(CodeTokenMissing, nil))
	}
	if found.cookie {
		if err := a.checkOrigin(&req); err != nil {
			return a.refused(ctx, &req, true, refuse(CodeCrossSite, err))
		}
	}
	now := a.config.Now()
	identity, err := a.verify(found.token, now)
	if err != nil {
		return a.refused(ctx, &req, found.cookie, refuse(tokenCode(err), err))
	}
	if refusal := a.checkRevoked(ctx, identity, now); refusal != nil {
		return a.refused(ctx, &req, found.cookie, refusal)
	}

	v := &visit{Context: ctx, auth: a, identity: identity, cookie: found.cookie}
	if refusal := judge(v, identity, rules); refusal != nil {
		return a.refused(ctx, &req, found.cookie, refusal)
	}
	return Decision{
		Context:  v,
		Identity: identity,
		Response: Response{Header: cacheHeader(found.cookie, anonymous(rules))},
	}
}

// cacheHeader returns what the answer of a request that is let through says to
// caches, until the handler says otherwise. What a Bearer token was needed for,
// shared caches keep to themselves without being told (RFC 9111 §3.5).
func cacheHeader(byCookie, optional bool) []Field {
	switch {
	case byCookie && optional:
		return headerOptionalCookie
	case byCookie:
		return headerCookie
	case optional:
		return headerOptional
	}
	return nil
}

var (
	headerCookie         = []Field{{"Cache-Control", "private"}, {"Vary", "Cookie"}}
	headerOptional       = []Field{{"Vary", "Authorization, Cookie"}}
	headerOptionalCookie = []Field{{"Cache-Control", "private"}, {"Vary", "Authorization, Cookie"}}
)

var errNilAuth = errors.New("core: the *Auth is nil: core.New failed")

// nobody stands in for a nil Auth: it has what is needed to refuse.
var nobody = &Auth{config: Config{Logger: slog.New(slog.DiscardHandler)}}

// judge returns why rules refuse id, nil if they do not.
func judge(ctx context.Context, id *Identity, rules []Rule) *Refusal {
	for _, rule := range rules {
		if err := rule.apply(ctx, id); err != nil {
			return refuse(ruleCode(err), err)
		}
	}
	return nil
}

// tokenCode returns how a token that failed to verify with err is refused.
func tokenCode(err error) Code {
	if errors.Is(err, errExpired) {
		return CodeTokenExpired
	}
	return CodeTokenInvalid
}

// refused returns the answer to a request that is refused. byCookie says that
// it was judged by its cookies.
func (a *Auth) refused(ctx context.Context, req *Request, byCookie bool, r *Refusal) Decision {
	if a == nil {
		a = nobody
	}
	level := slog.LevelDebug
	if r.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if a.config.Logger.Enabled(ctx, level) {
		a.config.Logger.LogAttrs(ctx, level, "request refused", slog.String("code", string(r.Code)), slog.Any("cause", r.Err))
	}
	res := r.Response()
	if a.config.Refuse != nil {
		if own := a.config.Refuse(ctx, *req, r); own.Status != 0 {
			// A refusal is about one client at one moment: no cache may keep it.
			own.Header = slices.DeleteFunc(slices.Clone(own.Header), func(f Field) bool { return f.Name == "Cache-Control" })
			own.Header = append(own.Header, Field{"Cache-Control", "no-store"})
			res = own
		}
	}
	if byCookie && r.Status == http.StatusUnauthorized && req.Upgrade == "" {
		res.Header = append(res.Header, a.cookies.clear...)
	}
	return Decision{Context: ctx, Refusal: r, Response: res}
}
