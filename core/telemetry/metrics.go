package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The names of attributes.
const (
	attrCode      = attribute.Key("jwtgate.code")
	attrEndpoint  = attribute.Key("jwtgate.endpoint")
	attrJudged    = attribute.Key("jwtgate.judged")
	attrIssuer    = attribute.Key("jwtgate.issuer")
	attrEvent     = attribute.Key("jwtgate.event")
	attrReason    = attribute.Key("jwtgate.reason")
	attrOperation = attribute.Key("jwtgate.operation")

	// Those of the semantic conventions.
	attrStatus    = attribute.Key("http.response.status_code")
	attrErrorType = attribute.Key("error.type")
	attrUser      = attribute.Key("user.id")
)

// accepted is the jwtgate.code of a request that is not refused, and guard the
// jwtgate.endpoint of one that a guard has judged.
const (
	accepted = "accepted"
	guard    = "guard"
)

// buckets are the boundaries of the histograms, in seconds: from a token in the cache to
// the default timeout of the session store.
var buckets = []float64{1e-6, 1e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// metrics are the instruments for what happens.
type metrics struct {
	decisions, hits, misses, renewals        metric.Int64Counter
	begun, rotated, ended, replayed          metric.Int64Counter
	events, interruptions                    metric.Int64Counter
	decisionDuration, storeDuration, fetches metric.Float64Histogram

	kinds sync.Map // from decisionKind to *decisionOptions
}

// A decisionKind has the attributes of a decision.
type decisionKind struct {
	endpoint string
	code     jwtgate.Code
	judged   jwtgate.Judgement
	issuer   string
	status   int
}

// decisionOptions are the attributes of a decisionKind in the form in which instruments
// take them, which is expensive to make.
type decisionOptions struct {
	count  []metric.AddOption
	record []metric.RecordOption
}

func newMetrics(meter metric.Meter) (*metrics, error) {
	m := &metrics{}
	var wrong []error
	counter := func(c *metric.Int64Counter, name, unit, description string) {
		var err error
		*c, err = meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		wrong = append(wrong, err)
	}
	histogram := func(h *metric.Float64Histogram, name, description string) {
		var err error
		*h, err = meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
		wrong = append(wrong, err)
	}
	counter(&m.decisions, "jwtgate.decisions", "{request}", "Requests that were judged.")
	counter(&m.hits, "jwtgate.cache.hits", "{token}", "Access tokens that were found in the cache of verified tokens.")
	counter(&m.misses, "jwtgate.cache.misses", "{token}", "Access tokens whose signature was checked.")
	counter(&m.renewals, "jwtgate.renewals", "{request}", "Requests of browsers whose session was renewed.")
	counter(&m.begun, "jwtgate.sessions.begun", "{session}", "Sessions that began.")
	counter(&m.rotated, "jwtgate.sessions.rotated", "{rotation}", "Refresh tokens that were replaced.")
	counter(&m.ended, "jwtgate.sessions.ended", "{end}", "Ends of sessions. All sessions of a subject that end together count as one.")
	counter(&m.replayed, "jwtgate.sessions.replayed", "{session}", "Sessions that were ended because a replaced refresh token was used.")
	counter(&m.events, "jwtgate.events", "{event}", "Events of sessions and keys.")
	counter(&m.interruptions, "jwtgate.feed.interruptions", "{interruption}", "Ends of the feed of revocations.")
	histogram(&m.decisionDuration, "jwtgate.decision.duration", "How long a guard or an endpoint took, without the handler.")
	histogram(&m.storeDuration, "jwtgate.store.duration", "How long the uses of the session store took.")
	histogram(&m.fetches, "jwtgate.keys.fetch.duration", "How long the fetches of keys took.")
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	m.begin()
	return m, nil
}

// begin makes the counters begin at zero: if a counter appeared with its first count,
// that count would be no increase, and would raise no alert.
func (m *metrics) begin() {
	ctx := context.Background()
	for _, c := range []metric.Int64Counter{m.hits, m.misses, m.renewals, m.begun, m.rotated, m.replayed, m.interruptions} {
		c.Add(ctx, 0)
	}
	for _, kind := range eventKinds {
		m.events.Add(ctx, 0, metric.WithAttributes(attrEvent.String(string(kind))))
		if endsSession(kind) {
			m.ended.Add(ctx, 0, metric.WithAttributes(attrReason.String(string(kind))))
		}
	}
	m.decisions.Add(ctx, 0, m.options(decisionKind{}).count...)
	m.decisions.Add(ctx, 0, m.options(decisionKind{code: jwtgate.CodeUnavailable, status: 503}).count...)
}

// eventKinds are all kinds of events.
var eventKinds = []jwtgate.EventKind{
	jwtgate.EventSignedIn, jwtgate.EventRotated, jwtgate.EventRepeated, jwtgate.EventHealed, jwtgate.EventReused, jwtgate.EventForged,
	jwtgate.EventEnded, jwtgate.EventEndedAll, jwtgate.EventDisabled, jwtgate.EventLoginFailed, jwtgate.EventThrottled, jwtgate.EventTooLarge,
	jwtgate.EventStoreDown, jwtgate.EventStoreEmptied, jwtgate.EventKeysDown, jwtgate.EventKeySkipped, jwtgate.EventKeysChanged,
}

// endsSession reports whether events of kind are ends of sessions.
func endsSession(kind jwtgate.EventKind) bool {
	switch kind {
	case jwtgate.EventEnded, jwtgate.EventEndedAll, jwtgate.EventDisabled, jwtgate.EventReused:
		return true
	}
	return false
}

func (m *metrics) outcome(ctx context.Context, o *jwtgate.Outcome) {
	options := m.options(decisionKind{o.Endpoint, o.Code, o.Judged, o.Issuer, o.Status})
	m.decisions.Add(ctx, 1, options.count...)
	m.decisionDuration.Record(ctx, o.Duration.Seconds(), options.record...)
	switch o.Judged {
	case jwtgate.JudgedCached:
		m.hits.Add(ctx, 1)
	case jwtgate.JudgedCold:
		m.misses.Add(ctx, 1)
	case jwtgate.JudgedRenewed:
		m.renewals.Add(ctx, 1)
	case jwtgate.JudgedNone:
	}
}

// options returns the attributes of kind.
func (m *metrics) options(kind decisionKind) *decisionOptions {
	if known, ok := m.kinds.Load(kind); ok {
		return known.(*decisionOptions)
	}
	options := &decisionOptions{
		count:  []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(kind.attributes()...))},
		record: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrEndpoint.String(kind.endpointName()), attrJudged.String(string(kind.judged))))},
	}
	m.kinds.Store(kind, options)
	return options
}

func (k *decisionKind) endpointName() string {
	if k.endpoint == "" {
		return guard
	}
	return k.endpoint
}

// attributes returns the attributes of k.
func (k *decisionKind) attributes() []attribute.KeyValue {
	code := string(k.code)
	if code == "" {
		code = accepted
	}
	all := []attribute.KeyValue{
		attrCode.String(code), attrEndpoint.String(k.endpointName()), attrJudged.String(string(k.judged)), attrIssuer.String(k.issuer),
	}
	if k.status != 0 {
		all = append(all, attrStatus.Int(k.status))
	}
	return all
}

func (m *metrics) event(ctx context.Context, e jwtgate.Event) {
	m.events.Add(ctx, 1, metric.WithAttributes(attrEvent.String(string(e.Kind))))
	if endsSession(e.Kind) {
		m.ended.Add(ctx, 1, metric.WithAttributes(attrReason.String(string(e.Kind))))
	}
	switch e.Kind {
	case jwtgate.EventSignedIn:
		m.begun.Add(ctx, 1)
	case jwtgate.EventRotated:
		m.rotated.Add(ctx, 1)
	case jwtgate.EventReused:
		m.replayed.Add(ctx, 1)
	}
}

func (m *metrics) storeUse(ctx context.Context, u jwtgate.StoreUse) {
	if u.Operation == "feed" {
		m.interruptions.Add(ctx, 1)
		return
	}
	m.storeDuration.Record(ctx, u.Duration.Seconds(), metric.WithAttributes(withError(u.Err, attrOperation.String(u.Operation))...))
}

func (m *metrics) keyFetch(ctx context.Context, f jwtgate.KeyFetch) {
	m.fetches.Record(ctx, f.Duration.Seconds(), metric.WithAttributes(withError(f.Err, attrIssuer.String(f.Issuer))...))
}

// withError returns attributes, with error.type if err is not nil.
func withError(err error, attributes ...attribute.KeyValue) []attribute.KeyValue {
	if err != nil {
		attributes = append(attributes, attrErrorType.String(errorType(err)))
	}
	return attributes
}

// gauges are the instruments for the state of an Auth.
type gauges struct {
	feedAge, clockOffset, keysAge               metric.Float64ObservableGauge
	revocations, cacheSize, cacheUsed, keysHeld metric.Int64ObservableGauge
}

func newGauges(meter metric.Meter) (*gauges, error) {
	g := &gauges{}
	var wrong []error
	seconds := func(to *metric.Float64ObservableGauge, name, description string) {
		var err error
		*to, err = meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(description))
		wrong = append(wrong, err)
	}
	count := func(to *metric.Int64ObservableGauge, name, unit, description string) {
		var err error
		*to, err = meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		wrong = append(wrong, err)
	}
	seconds(&g.feedAge, "jwtgate.feed.age", "How long ago all revocations were known.")
	seconds(&g.clockOffset, "jwtgate.store.clock.offset", "How much the clock of the session store is ahead.")
	seconds(&g.keysAge, "jwtgate.keys.age", "How long ago the keys of an issuer were fetched.")
	count(&g.revocations, "jwtgate.revocations", "{revocation}", "Revocations in memory.")
	count(&g.cacheSize, "jwtgate.cache.size", "{token}", "Tokens that the cache of verified tokens can hold.")
	count(&g.cacheUsed, "jwtgate.cache.used", "{token}", "Tokens in the cache of verified tokens.")
	count(&g.keysHeld, "jwtgate.keys.held", "{issuer}", "Whether there are keys of an issuer.")
	return g, errors.Join(wrong...)
}

func (g *gauges) all() []metric.Observable {
	return []metric.Observable{g.feedAge, g.clockOffset, g.keysAge, g.revocations, g.cacheSize, g.cacheUsed, g.keysHeld}
}

func (g *gauges) observe(o metric.Observer, s jwtgate.Stats) {
	seconds := func(d time.Duration) float64 { return d.Seconds() }
	o.ObserveFloat64(g.feedAge, seconds(s.FeedAge))
	o.ObserveFloat64(g.clockOffset, seconds(s.StoreAhead))
	o.ObserveInt64(g.revocations, int64(s.Revocations))
	o.ObserveInt64(g.cacheSize, int64(s.CacheSize))
	o.ObserveInt64(g.cacheUsed, int64(s.CacheUsed))
	for _, k := range s.Keys {
		issuer := metric.WithAttributes(attrIssuer.String(k.Issuer))
		held := int64(0)
		if k.Held {
			held = 1
			o.ObserveFloat64(g.keysAge, seconds(k.Age), issuer)
		}
		o.ObserveInt64(g.keysHeld, held, issuer)
	}
}
