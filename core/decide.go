package jwtgate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// A Decision is what to do with a request.
type Decision struct {
	// Response is the answer if its Status is not zero; the handler does not run.
	// Otherwise its header fields are set, and the handler runs with Context. The
	// cookies of a renewed request are not among them: see Renewed.
	Response Response

	// Context is the request's context for the handler: the caller's, with the
	// identity in it if there is one.
	Context context.Context

	// Identity is the identity of the request. It is nil for a request without
	// credentials on an [Optional] route, and for every refused request.
	Identity *Identity

	// Refusal is the reason of a refusal, nil if the request is not refused.
	Refusal *Refusal

	// Renewed says that the answer carries new cookies, whether the handler or
	// Response is the answer, or that it deletes those of a session that is over, on
	// an [Optional] route. StripConditional must then be called for the header of
	// the request before the handler runs, and Commit for the header of the answer
	// just before it is sent, after everything else that changes it.
	Renewed bool

	renewal *renewal        // nil unless Renewed
	pending *pendingOutcome // nil unless Done is to report it
}

// Decide judges req by rules. The Protect function of each adapter calls it. Call it
// directly for a framework without an adapter, and [Decision.Done] after the handler.
//
// If ctx has an identity from an outer guard of the same Auth, and req has the same
// credential, Decide only checks the rules, and the origin of a request by cookie.
func (a *Auth) Decide(ctx context.Context, req Request, rules ...Rule) Decision {
	if a == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth))
	}
	begin := a.begin()
	req.noRenewal = withoutRenewal(rules)
	var from caller
	d := a.decide(ctx, &req, rules, &from)
	if !begin.IsZero() || req.call != nil {
		a.decided(ctx, &req, begin, &from, &d)
	}
	return d
}

// decide is Decide. It sets from to how req was judged.
func (a *Auth) decide(ctx context.Context, req *Request, rules []Rule, from *caller) Decision {
	before := visitOf(ctx, a)
	if v := before; v != nil && v.identity != nil && v.covers(req) {
		from.identity, from.outer = v.identity, v
		ctx = v.outermost(ctx)
		if refusal := a.judge(ctx, v.identity, rules); refusal != nil {
			return a.refusedTo(ctx, req, v.identity, v.byCookie, refusal)
		}
		return Decision{Context: ctx, Identity: v.identity}
	}

	optional := anonymous(rules)
	a.identify(ctx, req, from)
	if optional {
		*from = a.overlookEnded(req, *from)
	}
	if before != nil && before.identity == nil && (from.judged == JudgedNone || before.byCookie && from.cookie) {
		from.outer = before // it has let the anonymous visitor through
	}
	switch {
	case from.refusal != nil:
		return a.refusedTo(ctx, req, from.identity, from.cookie, a.explained(ctx, req, from.refusal))
	case from.identity == nil && optional:
		return Decision{
			Context:  a.anonymousVisit(ctx, from),
			Response: Response{Header: a.cacheHeader(from, true)},
			Renewed:  from.renewed != nil,
			renewal:  from.renewed,
		}
	case from.identity == nil:
		return a.refused(ctx, req, from.cookie, refuse(CodeTokenMissing, nil))
	}

	v := a.visit(ctx, from)
	if refusal := a.judge(v, from.identity, rules); refusal != nil {
		d := a.refusedTo(ctx, req, from.identity, from.cookie, refusal)
		if !a.deletesCookies(req, from.cookie, refusal) {
			d.renewal = from.renewed
		}
		d.Renewed = d.renewal != nil
		return d
	}
	return Decision{
		Context:  v,
		Identity: from.identity,
		Response: Response{Header: a.cacheHeader(from, optional)},
		Renewed:  from.renewed != nil,
		renewal:  from.renewed,
	}
}

// A caller is the result of judging the credentials of a request. A request without
// credentials has neither identity nor refusal.
type caller struct {
	// identity is set with a refusal too, if the signature of the token is good.
	identity *Identity
	cookie   bool         // the credentials are cookies
	header   *tokenHeader // the field that the token came in, as in credential
	renewed  *renewal     // nil unless the request was renewed, or deletes its cookies
	pending  bool         // the credentials can be renewed, but this request cannot
	mark     uint64       // of the credentials
	refusal  *Refusal
	judged   Judgement
	outer    *visit // of the outer guard that has let the same request through, nil without one
}

// identify judges the credentials of req, and sets from to the result.
func (a *Auth) identify(ctx context.Context, req *Request, from *caller) {
	found, err := a.credential(req)
	from.cookie, from.header = found.cookie, found.header
	if err != nil {
		from.refusal = refuse(CodeMalformedCredentials, err)
		return
	}
	if found.ambient() {
		if err := a.checkOrigin(req); err != nil {
			from.refusal = refuse(CodeCrossSite, err)
			return
		}
	}
	now := a.config.Now()
	err = errAbsent
	if found.access != "" {
		from.identity, err = a.recall(ctx, &found, now)
		from.judged = JudgedCold
		if found.cached != nil && found.cached.identity == from.identity {
			from.judged = JudgedCached
		}
		if err == nil && a.outdated(ctx, from.identity, now) {
			err = errOutdated
		}
	}
	if errors.Is(err, errEarly) {
		a.warnEarly(ctx, from.identity, now)
	}
	from.pending = err != nil && a.renewable(&found, from.identity, err)
	switch {
	case err == nil:
		from.refusal = a.checkRevoked(ctx, from.identity, now)
		if from.refusal == nil && found.cached == nil && a.sessions != nil {
			a.sessions.confirmations.confirm(from.identity)
		}
	case from.pending && a.mayChangeCookies(req):
		renewed := a.renewAfter(ctx, req, &found, from.identity, err, now)
		if renewed.refusal != nil {
			renewed.identity, renewed.judged = from.identity, from.judged
		}
		*from = renewed
	case errors.Is(err, errAbsent), found.cookie && errors.Is(err, errOldKey):
		return // as if the request had no credentials
	default:
		from.refusal = refuseToken(err)
	}
	if from.refusal == nil && from.renewed == nil && found.cookie {
		*from = a.maintain(ctx, req, found, *from, now)
	}
	from.mark = found.mark(a, from.renewed != nil)
}

// cacheHeader returns the fields for caches in the answer to a request that is let
// through, which the handler can replace. None are needed for a Bearer token: shared
// caches do not store such answers by default (RFC 9111 §3.5).
func (a *Auth) cacheHeader(from *caller, optional bool) []Field {
	switch {
	case from.header != nil && optional:
		return from.header.optionalCache
	case from.header != nil:
		return from.header.cache
	case from.cookie && optional && a.fields != nil:
		return a.fields.optionalCookie
	case from.cookie && optional:
		return headerOptionalCookie
	case from.cookie:
		return headerCookie
	case optional && a.fields != nil:
		return a.fields.optional
	case optional:
		return headerOptional
	}
	return nil
}

var (
	headerCookie         = privateBy("Cookie")
	headerOptional       = []Field{{"Vary", "Authorization, Cookie"}}
	headerOptionalCookie = privateBy("Authorization, Cookie")
)

var (
	errNilAuth = errors.New("jwtgate: the *Auth is nil: check the error of jwtgate.New")
	errAbsent  = errors.New("jwtgate: there is no access token")
)

// nilAuth refuses requests in place of a nil Auth.
var nilAuth = &Auth{config: Config{Logger: slog.New(slog.DiscardHandler)}} // its outages are logged by slog.Default

// judge returns the refusal of id by rules with its explanation, or nil if all of them
// accept id.
func (a *Auth) judge(ctx context.Context, id *Identity, rules []Rule) *Refusal {
	for _, rule := range rules {
		if err := rule.apply(ctx, id, a); err != nil {
			return a.explainedRule(ctx, ruleRefusal(err))
		}
	}
	return nil
}

// refuseToken returns the refusal of a token that failed to verify with err.
func refuseToken(err error) *Refusal {
	if unavailable := keyaccess.AsUnavailable(err); unavailable != nil {
		r := refuse(CodeUnavailable, err)
		r.RetryAfter = max(r.RetryAfter, unavailable.Retry)
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

// refused returns the answer to a refused request. byCookie says that the request
// was judged by its cookies.
func (a *Auth) refused(ctx context.Context, req *Request, byCookie bool, r *Refusal) Decision {
	if a == nil {
		a = nilAuth
	}
	return a.refusedTo(ctx, req, nil, byCookie, a.explained(ctx, req, r))
}

// refusedTo is refused for a request whose identity is id, nil if it is not known. Unlike
// refused, it does not explain r.
func (a *Auth) refusedTo(ctx context.Context, req *Request, id *Identity, byCookie bool, r *Refusal) Decision {
	if a.resource != nil && r.Status == http.StatusUnauthorized && r.Challenge != "" {
		changed := *r // the application can have returned r for other requests, too
		changed.Challenge = a.resource.challenge(r.Challenge)
		r = &changed
	}
	if req.call != nil {
		req.call.refusal = r
	}
	a.log(ctx, req, id, r)
	res := r.Response()
	if a.config.Refuse != nil {
		// A status below 200 would let the request through.
		if own := a.config.Refuse(ctx, *req, r); 200 <= own.Status && own.Status <= 999 {
			// A refusal is for one client at one moment: no cache may store it.
			own.Header = slices.DeleteFunc(slices.Clone(own.Header), func(f Field) bool { return canonical(f.Name) == "Cache-Control" })
			own.Header = append(own.Header, Field{"Cache-Control", "no-store"})
			res = own
		}
	}
	if a.deletesCookies(req, byCookie, r) {
		// Scripts cannot delete an HttpOnly cookie, so a refused one would stay.
		res.Header = append(res.Header, a.cookies.clear...)
		a.supersedeRenewal(ctx)
	}
	return Decision{Context: ctx, Refusal: r, Response: res}
}

// deletesCookies reports whether the answer to a request refused with r deletes its
// cookies. byCookie says that the request was judged by them.
func (a *Auth) deletesCookies(req *Request, byCookie bool, r *Refusal) bool {
	if !byCookie || !a.mayChangeCookies(req) {
		return false
	}
	if a.cookies.Domain != "" && errors.Is(r.Err, errTwoCookies) {
		return true // one of the two may be from another host of the domain
	}
	return r.Status == http.StatusUnauthorized && !r.goesOn()
}
