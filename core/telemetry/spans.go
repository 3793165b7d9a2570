package telemetry

import (
	"context"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// traceOutcome records a span for a decision, if the request is traced.
func (t *Telemetry) traceOutcome(ctx context.Context, o *jwtgate.Outcome) {
	request := trace.SpanFromContext(ctx)
	if !request.IsRecording() {
		return
	}
	if t.config.Users && o.Identity != nil && o.Code == "" {
		request.SetAttributes(attrUser.String(o.Identity.Subject()))
	}
	kind := decisionKind{o.Endpoint, o.Code, o.Judged, o.Issuer, o.Status}
	var err error
	if o.Status >= http.StatusInternalServerError && o.Refusal != nil {
		err = o.Refusal
	}
	t.record(ctx, "jwtgate "+kind.endpointName(), trace.SpanKindInternal, o.Duration, err, kind.attributes()...)
}

// traceStoreUse records a span for a use of the session store, if it belongs to a
// request that is traced.
func (t *Telemetry) traceStoreUse(ctx context.Context, u jwtgate.StoreUse) {
	if trace.SpanFromContext(ctx).IsRecording() {
		t.record(ctx, "jwtgate store "+u.Operation, trace.SpanKindClient, u.Duration, u.Err, attrOperation.String(u.Operation))
	}
}

// traceKeyFetch records a span for a fetch of keys. It serves many requests, so it
// belongs to none.
func (t *Telemetry) traceKeyFetch(ctx context.Context, f jwtgate.KeyFetch) {
	t.record(ctx, "jwtgate fetch keys", trace.SpanKindClient, f.Duration, f.Err, attrIssuer.String(f.Issuer))
}

// record records a span that has just ended.
func (t *Telemetry) record(ctx context.Context, name string, kind trace.SpanKind, took time.Duration, err error, attributes ...attribute.KeyValue) {
	end := time.Now()
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(end.Add(-took)), trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(attrErrorType.String(errorType(err)))
	}
	span.End(trace.WithTimestamp(end))
}
