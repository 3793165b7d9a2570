// Package telemetry makes OpenTelemetry metrics and spans of what an Auth of package
// jwtgate does.
//
//	t, err := telemetry.New(telemetry.Config{})
//	...
//	auth, err := jwtgate.New(jwtgate.Config{
//		...
//		Observers: []jwtgate.Observer{t.Observer()},
//	})
//	...
//	err = t.Watch(auth)
//
// It depends on the API of OpenTelemetry only: the application chooses the SDK and the
// exporters. These lines serve the metrics to Prometheus, with promhttp of
// github.com/prometheus/client_golang/prometheus, and with prometheus of
// go.opentelemetry.io/otel/exporters and metric of go.opentelemetry.io/otel/sdk:
//
//	exporter, err := prometheus.New()
//	...
//	t, err := telemetry.New(telemetry.Config{
//		MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter)),
//	})
//	...
//	mux.Handle("GET /metrics", promhttp.Handler())
//
// Their names for Prometheus have "_" in place of ".", and end with the unit and with
// "_total" for counters.
//
// The metrics are, with their attributes:
//
//	jwtgate.decisions               requests that were judged, by jwtgate.code ("accepted" if not refused),
//	                                jwtgate.endpoint ("guard" for a guard), jwtgate.judged, jwtgate.issuer
//	                                and http.response.status_code (absent if a guard lets the request through)
//	jwtgate.decision.duration       how long that took, by jwtgate.endpoint and jwtgate.judged
//	jwtgate.cache.hits              access tokens that were found in the cache of verified tokens
//	jwtgate.cache.misses            access tokens whose signature was checked
//	jwtgate.renewals                requests of browsers whose session was renewed
//	jwtgate.sessions.begun          sessions that began
//	jwtgate.sessions.rotated        refresh tokens that were replaced
//	jwtgate.sessions.ended          ends of sessions, by jwtgate.reason: "ended", "ended_all" for all of a
//	                                subject, "disabled", "reused"
//	jwtgate.sessions.replayed       refresh tokens that were used after their replacement, as stolen ones are
//	jwtgate.events                  all events, by jwtgate.event, which is a jwtgate.EventKind
//	jwtgate.store.duration          uses of the session store, by jwtgate.operation and error.type
//	jwtgate.feed.interruptions      ends of the feed of revocations
//	jwtgate.keys.fetch.duration     fetches of keys, by jwtgate.issuer and error.type
//
// and, if Watch was called:
//
//	jwtgate.feed.age                how long ago all revocations were known
//	jwtgate.revocations             revocations in memory
//	jwtgate.cache.size              tokens that the cache can hold
//	jwtgate.cache.used              tokens that it holds
//	jwtgate.store.clock.offset      how much the clock of the session store is ahead
//	jwtgate.keys.held               1 if there are keys, else 0, by jwtgate.issuer
//	jwtgate.keys.age                how long ago keys were fetched, by jwtgate.issuer
//
// Durations and ages are in seconds. No attribute has a value that a client can choose,
// so that the number of time series is bounded by the configuration.
package telemetry

import (
	"context"
	"errors"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of the instrumentation scope.
const scope = "github.com/jwtgate/jwtgate/core/telemetry"

// Config configures a [Telemetry]. The zero value is ready to use.
type Config struct {
	_ [0]func()

	// MeterProvider provides the meter. The default is that of [otel.GetMeterProvider].
	MeterProvider metric.MeterProvider

	// TracerProvider provides the tracer. The default is that of
	// [otel.GetTracerProvider]. A span is recorded for each request that is judged
	// while a span is recorded, and for each use of the session store on its behalf.
	TracerProvider trace.TracerProvider

	// Users adds the attribute user.id with the subject to the span of a request, so
	// that the traces of a user can be found. Consider whether your traces may have
	// personal data.
	Users bool
}

// A Telemetry records metrics and spans. It is safe for concurrent use. Create one with
// [New].
type Telemetry struct {
	config  Config
	meter   metric.Meter
	tracer  trace.Tracer
	metrics *metrics
}

// New returns a Telemetry, or an error if the meter cannot create its instruments.
func New(config Config) (*Telemetry, error) {
	if config.MeterProvider == nil {
		config.MeterProvider = otel.GetMeterProvider()
	}
	if config.TracerProvider == nil {
		config.TracerProvider = otel.GetTracerProvider()
	}
	t := &Telemetry{
		config: config,
		meter:  config.MeterProvider.Meter(scope),
		tracer: config.TracerProvider.Tracer(scope),
	}
	var err error
	t.metrics, err = newMetrics(t.meter)
	return t, err
}

// Observer returns the observer for [jwtgate.Config.Observers].
func (t *Telemetry) Observer() jwtgate.Observer {
	return jwtgate.Observer{
		Outcome: func(ctx context.Context, o jwtgate.Outcome) {
			t.metrics.outcome(ctx, &o)
			t.traceOutcome(ctx, &o)
		},
		Event: t.metrics.event,
		StoreUse: func(ctx context.Context, u jwtgate.StoreUse) {
			t.metrics.storeUse(ctx, u)
			t.traceStoreUse(ctx, u)
		},
		KeyFetch: func(ctx context.Context, f jwtgate.KeyFetch) {
			t.metrics.keyFetch(ctx, f)
			t.traceKeyFetch(ctx, f)
		},
	}
}

// Watch adds the figures of auth.Stats to the metrics, for as long as the meter provider
// works. Watch one Auth only: the figures of two would have the same names.
func (t *Telemetry) Watch(auth *jwtgate.Auth) error {
	gauges, err := newGauges(t.meter)
	if err != nil {
		return err
	}
	_, err = t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		gauges.observe(o, auth.Stats())
		return nil
	}, gauges.all()...)
	return err
}

// errorType returns the value of the attribute error.type of the semantic conventions,
// empty if err is nil. It is one of few, because each value makes a time series.
func errorType(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, session.ErrFull):
		return "full"
	}
	return "_OTHER" // as the semantic conventions have it
}
