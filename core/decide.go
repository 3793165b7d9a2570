package jwtgate

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

	// Renewed says that the answer carries new cookies. The handler must then
	// run without the header fields of the request that Conditional names, and
	// Commit must have the last word on the header of the answer.
	Renewed bool
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
	if v := visitOf(ctx, a); v != nil && v.identity != nil {
		ctx = v.onTop(ctx)
		if refusal := a.judge(ctx, v.identity, rules); refusal != nil {
			return a.refused(ctx, &req, v.cookie, refusal)
		}
		return Decision{Context: ctx, Identity: v.identity}
	}

	optional := anonymous(rules)
	from := a.identify(ctx, &req)
	switch {
	case from.refusal != nil:
		return a.refused(ctx, &req, from.cookie, from.refusal)
	case from.identity == nil && optional:
		return Decision{Context: a.nobody(ctx), Response: Response{Header: cacheHeader(false, true)}}
	case from.identity == nil:
		return a.refused(ctx, &req, from.cookie, refuse(CodeTokenMissing, nil))
	}

	v := a.visit(ctx, from.identity, from.cookie)
	header := cacheHeader(from.cookie, optional)
	if from.renewed != nil {
		header = append(slices.Clip(header), from.renewed...)
	}
	if refusal := a.judge(v, from.identity, rules); refusal != nil {
		d := a.refused(ctx, &req, from.cookie, refusal)
		// It carries the new cookies too: the old refresh token is used up.
		d.Response.Header = append(slices.Clip(from.renewed), d.Response.Header...)
		return d
	}
	return Decision{
		Context:  v,
		Identity: from.identity,
		Response: Response{Header: header},
		Renewed:  from.renewed != nil,
	}
}

// caller is who a request comes from, as far as its credentials tell. Without
// identity and refusal, it has no credentials.
type caller struct {
	identity *Identity
	cookie   bool    // the credentials are cookies
	renewed  []Field // the new cookies, if they were renewed
	refusal  *Refusal
}

// identify judges the credentials of req.
func (a *Auth) identify(ctx context.Context, req *Request) caller {
	found, err := a.credential(req)
	from := caller{cookie: found.cookie}
	if err != nil {
		from.refusal = refuse(CodeMalformedCredentials, err)
		return from
	}
	if found.cookie {
		if err := a.checkOrigin(req); err != nil {
			from.refusal = refuse(CodeCrossSite, err)
			return from
		}
	}
	now := a.config.Now()
	err = errAbsent
	if found.access != "" {
		from.identity, err = a.recall(ctx, &found, now)
	}
	switch {
	case err == nil:
		from.refusal = a.checkRevoked(ctx, from.identity, now)
	case found.renewable(req, err):
		from = a.renew(ctx, req, found.refresh, from.identity)
	case errors.Is(err, errAbsent), found.cookie && errors.Is(err, errOldKey):
		return from // there is nothing to judge
	default:
		from.refusal = refuseToken(err)
	}
	if from.refusal == nil && from.renewed == nil && found.cookie {
		from = a.maintain(ctx, req, found, from, now)
	}
	return from
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

var (
	errNilAuth = errors.New("jwtgate: the *Auth is nil: jwtgate.New failed")
	errAbsent  = errors.New("jwtgate: there is no access token")
)

// lockedUp stands in for a nil Auth: it has what is needed to refuse.
var lockedUp = &Auth{config: Config{Logger: slog.New(slog.DiscardHandler)}}

// judge returns why rules refuse id, nil if they do not.
func (a *Auth) judge(ctx context.Context, id *Identity, rules []Rule) *Refusal {
	for _, rule := range rules {
		if err := rule.apply(ctx, id, a); err != nil {
			return ruleRefusal(err)
		}
	}
	return nil
}

// refuseToken returns how a token that failed to verify with err is refused.
func refuseToken(err error) *Refusal {
	if missing := missingKeys(err); missing != nil {
		r := refuse(CodeUnavailable, err)
		r.RetryAfter = max(r.RetryAfter, missing.retry)
		return r
	}
	if errors.Is(err, errNotAToken) {
		return refuse(CodeMalformedCredentials, err)
	}
	if errors.Is(err, errExpired) {
		return refuse(CodeTokenExpired, err)
	}
	return refuse(CodeTokenInvalid, err)
}

// refused returns the answer to a request that is refused. byCookie says that
// it was judged by its cookies.
func (a *Auth) refused(ctx context.Context, req *Request, byCookie bool, r *Refusal) Decision {
	if a == nil {
		a = lockedUp
	}
	level := slog.LevelDebug
	// That keys cannot be fetched is in the log already, and what tokens name
	// their issuer is not for us to choose.
	if r.Status >= http.StatusInternalServerError && missingKeys(r.Err) == nil && !errors.Is(ctx.Err(), context.Canceled) {
		level = slog.LevelError
	}
	if a.config.Logger.Enabled(ctx, level) {
		a.config.Logger.LogAttrs(ctx, level, "request refused", slog.String("code", string(r.Code)), slog.Any("cause", r.Err))
	}
	res := r.Response()
	if a.config.Refuse != nil {
		// A status that is no answer's must not become one.
		if own := a.config.Refuse(ctx, *req, r); 200 <= own.Status && own.Status <= 999 {
			// A refusal is about one client at one moment: no cache may keep it.
			own.Header = slices.DeleteFunc(slices.Clone(own.Header), func(f Field) bool { return canonical(f.Name) == "Cache-Control" })
			own.Header = append(own.Header, Field{"Cache-Control", "no-store"})
			res = own
		}
	}
	if byCookie && r.Status == http.StatusUnauthorized && r.Code != CodeLoginTooOld && !req.opensChannel() {
		// Script cannot take an HttpOnly cookie away, so a bad one would stay.
		res.Header = append(res.Header, a.cookies.clear...)
	}
	return Decision{Context: ctx, Refusal: r, Response: res}
}
