package jwtgate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// log logs r, the refusal of req, at debug level. Only here the log has the cause,
// which clients do not get. id is the identity of the request, nil if it is not known.
//
// An internal error that has not been logged where it happened is logged at error level.
func (a *Auth) log(ctx context.Context, req *Request, id *Identity, r *Refusal) {
	internal := r.Status >= http.StatusInternalServerError && !errors.Is(ctx.Err(), context.Canceled)
	debug := a.config.Logger.Enabled(ctx, slog.LevelDebug)
	if !internal && !debug {
		return
	}
	method, path := strings.Clone(req.Method), strings.Clone(loggedPath(req.Path)) // kept longer than req
	if internal {
		a.logInternal(ctx, r.Err, "code", r.Code, "method", method, "path", path)
	}
	if !debug {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("code", string(r.Code))
	attrs = append(attrs, slog.Any("cause", r.Err), slog.String("method", method), slog.String("path", path))
	if peer := req.PeerAddr(); peer.IsValid() {
		add("peer", peer.String())
	}
	if id != nil {
		add("issuer", id.Issuer())
		add("subject", id.Subject())
		add("session", id.SessionID())
	}
	a.config.Logger.LogAttrs(ctx, slog.LevelDebug, "request refused", attrs...)
}

// A loggedError is an internal error that was logged where it happened.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

// logInternal logs an internal error, unless it was logged where it happened. A refresh
// token that must wait is no error of the server.
func (a *Auth) logInternal(ctx context.Context, cause error, args ...any) {
	var logged loggedError
	switch {
	case cause == nil, errors.As(cause, &logged), keyaccess.AsUnavailable(cause) != nil, errors.Is(cause, errBusy), errors.Is(cause, errUnconfirmed):
		return
	}
	a.outages.failed(ctx, outageInternal(cause), cause, args...)
}

const (
	maxLoggedPath    = 256
	maxLoggedSegment = 48 // longer segments may be tokens; session IDs and UUIDs are shorter
)

// loggedPath returns path in a form for logs: short, and without what may be a token.
func loggedPath(path string) string {
	if len(path) <= maxLoggedSegment {
		return path
	}
	segments := strings.Split(path[:min(len(path), 4*maxLoggedPath)], "/")
	for i, segment := range segments {
		if len(segment) > maxLoggedSegment {
			segments[i] = "…"
		}
	}
	path = strings.Join(segments, "/")
	if len(path) > maxLoggedPath {
		path = strings.ToValidUTF8(path[:maxLoggedPath], "") + "…"
	}
	return path
}
