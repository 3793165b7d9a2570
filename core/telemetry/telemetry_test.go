package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/telemetry"
)

// A fixture is an Auth whose metrics and spans a test can read.
type fixture struct {
	*jwtgate.Auth

	t      *testing.T
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer *trace.TracerProvider
	store  *brokenStore
}

// A brokenStore fails while broken is set.
type brokenStore struct {
	*session.Memory

	broken error
}

func (s *brokenStore) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	if s.broken != nil {
		return session.Record{}, false, s.broken
	}
	return s.Memory.Find(ctx, id)
}

func newFixture(t *testing.T, config telemetry.Config) *fixture {
	t.Helper()
	f := &fixture{t: t, reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder(), store: &brokenStore{Memory: session.NewMemory(0, nil)}}
	f.tracer = trace.NewTracerProvider(trace.WithSpanProcessor(f.spans))
	config.MeterProvider, config.TracerProvider = metric.NewMeterProvider(metric.WithReader(f.reader)), f.tracer
	tel, err := telemetry.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.Auth, err = jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example",
		Audience: "https://api.example",
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes for tests")),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Store:   f.store,
			Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
		},
		Trusted:   []jwtgate.TrustedIssuer{{Name: "https://idp.example", Keys: keys.Remote{Transport: noTransport{}}, Required: true}},
		Observers: []jwtgate.Observer{tel.Observer()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if err := tel.Watch(f.Auth); err != nil {
		t.Fatal(err)
	}
	return f
}

type noTransport struct{}

func (noTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}

// read returns all metrics as text: the name, the attributes with the values, and the value
// or the count of a histogram.
func (f *fixture) read() map[string]float64 {
	f.t.Helper()
	var all metricdata.ResourceMetrics
	if err := f.reader.Collect(f.t.Context(), &all); err != nil {
		f.t.Fatal(err)
	}
	values := map[string]float64{}
	add := func(name string, set attribute.Set, value float64) {
		for _, kv := range set.ToSlice() {
			name += fmt.Sprint(" ", strings.TrimPrefix(string(kv.Key), "jwtgate."), "=", kv.Value.String())
		}
		values[name] = value
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		name := strings.TrimPrefix(m.Name, "jwtgate.")
		if name == m.Name || m.Unit == "" || m.Description == "" {
			f.t.Errorf("%s: has no prefix, unit or description", m.Name)
		}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				add(name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				add(name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				add(name, p.Attributes, p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				add(name, p.Attributes, float64(p.Count))
			}
		default:
			f.t.Errorf("%s: is a %T", m.Name, data)
		}
	}
	return values
}

// do does something, and returns the counts that have changed, one a line.
func (f *fixture) do(step func()) string {
	f.t.Helper()
	before := f.read()
	step()
	var lines []string
	for name, value := range f.read() {
		if d := value - before[name]; d != 0 && !strings.Contains(name, "age") {
			lines = append(lines, fmt.Sprintf("%s: %+g", name, d))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (f *fixture) signIn() jwtgate.Tokens {
	f.t.Helper()
	tokens, err := f.SignIn(f.t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

func get(token string) jwtgate.Request {
	return jwtgate.Request{Method: "GET", Path: "/", Header: http.Header{"Authorization": {"Bearer " + token}}}
}

func post(parameters string) jwtgate.Request {
	return jwtgate.Request{
		Method: "POST", Path: "/", Body: strings.NewReader(parameters),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}
}

// TestMetrics checks what each step of a session adds to the metrics.
func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, telemetry.Config{})
	var tokens jwtgate.Tokens
	decide := func(rules ...jwtgate.Rule) { d := f.Decide(t.Context(), get(tokens.Access.Token), rules...); d.Done() }
	const who = " issuer=https://auth.example"
	for _, row := range []struct {
		name string
		do   func()
		want []string
	}{
		{"sign in", func() { tokens = f.signIn() }, []string{"events event=signed_in: +1", "sessions.begun: +1", "store.duration operation=create: +1"}},
		{"first use", func() { decide() }, []string{
			"cache.misses: +1", "decision.duration endpoint=guard judged=cold: +1",
			"decisions code=accepted endpoint=guard" + who + " judged=cold: +1",
		}},
		{"second use", func() { decide() }, []string{
			"cache.misses: +1", "cache.used: +1", "decision.duration endpoint=guard judged=cold: +1",
			"decisions code=accepted endpoint=guard" + who + " judged=cold: +1",
		}},
		{"third use", func() { decide() }, []string{
			"cache.hits: +1", "decision.duration endpoint=guard judged=cached: +1",
			"decisions code=accepted endpoint=guard" + who + " judged=cached: +1",
		}},
		{"missing role", func() { decide(jwtgate.Role("admin")) }, []string{
			"cache.hits: +1", "decision.duration endpoint=guard judged=cached: +1",
			"decisions http.response.status_code=403 code=insufficient_scope endpoint=guard" + who + " judged=cached: +1",
		}},
		{"nobody", func() { f.Decide(t.Context(), jwtgate.Request{Method: "GET"}) }, []string{
			"decision.duration endpoint=guard judged=: +1", "decisions http.response.status_code=401 code=token_missing endpoint=guard issuer= judged=: +1",
		}},
		{"refresh", func() { f.Refresh(t.Context(), post("refresh_token="+tokens.Refresh)) }, []string{
			"decision.duration endpoint=refresh judged=: +1",
			"decisions http.response.status_code=200 code=accepted endpoint=refresh" + who + " judged=: +1",
			"events event=rotated: +1", "sessions.rotated: +1", "store.duration operation=advance: +1", "store.duration operation=find: +1",
		}},
		{"store is down", func() {
			f.store.broken = errors.New("connection refused")
			f.Refresh(t.Context(), post("refresh_token="+tokens.Refresh))
			f.store.broken = nil
		}, []string{
			"decision.duration endpoint=refresh judged=: +1",
			"decisions http.response.status_code=503 code=unavailable endpoint=refresh issuer= judged=: +1",
			"events event=store_down: +1", "store.duration error.type=_OTHER operation=find: +1",
		}},
		{"renewal", func() {
			cookie := http.Header{"Cookie": {"__Host-rt=" + tokens.Refresh}}
			d := f.Decide(t.Context(), jwtgate.Request{Method: "GET", Path: "/", Host: "localhost", Header: cookie})
			d.Done()
		}, []string{
			"decision.duration endpoint=guard judged=renewed: +1",
			"decisions code=accepted endpoint=guard" + who + " judged=renewed: +1",
			"events event=repeated: +1", "renewals: +1", "store.duration operation=advance: +1", "store.duration operation=find: +1",
		}},
		{"logout", func() { f.Logout(t.Context(), post("refresh_token="+tokens.Refresh)) }, []string{
			"decision.duration endpoint=logout judged=: +1", "decisions http.response.status_code=204 code=accepted endpoint=logout issuer= judged=: +1",
			"events event=ended: +1", "revocations: +1", "sessions.ended reason=ended: +1", "store.duration operation=end: +1", "store.duration operation=find: +1",
		}},
		{"keys are down", func() {
			_ = f.Ready(t.Context())
			for f.read()["events event=keys_down"] == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond) // it is reported after the request
			}
		}, []string{
			"events event=keys_down: +1", "keys.fetch.duration error.type=_OTHER issuer=https://idp.example: +1",
			"store.duration operation=create: +1", "store.duration operation=find: +1",
		}},
	} {
		got := f.do(row.do)
		if want := strings.Join(row.want, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, want)
		}
	}
	now := f.read()
	for name, want := range map[string]float64{
		"keys.held issuer=https://idp.example": 0, "cache.size": 16384, "sessions.replayed": 0, "feed.interruptions": 0, "events event=forged": 0, "sessions.ended reason=disabled": 0, "store.clock.offset": 0,
		"decisions code=accepted endpoint=guard issuer= judged=": 0, "decisions http.response.status_code=503 code=unavailable endpoint=guard issuer= judged=": 0,
	} {
		if got, ok := now[name]; !ok || got != want {
			t.Errorf("%s: got %v, present: %t; want %v", name, got, ok, want)
		}
	}
	if got, ok := now["sessions.ended reason=signed_in"]; ok {
		t.Errorf("got %v ends of sessions because of a sign-in; want no such counter", got)
	}
	if age, ok := now["feed.age"]; !ok || age < 0 || age > 30 {
		t.Errorf("got feed.age %v; want a few seconds at most", age)
	}
}

// TestSpanOfOutcome checks the status of the span of an outcome, and whether the span of the
// request has the user.
func TestSpanOfOutcome(t *testing.T) {
	t.Parallel()
	f := newFixture(t, telemetry.Config{})
	d := f.Decide(t.Context(), get(f.signIn().Access.Token))
	alice, _ := jwtgate.IdentityFrom(d.Context)
	forbidden := &jwtgate.Refusal{Code: jwtgate.CodeInsufficientScope, Status: 403}
	internal := &jwtgate.Refusal{Code: jwtgate.CodeInternal, Status: 500}
	for _, row := range []struct {
		name    string
		users   bool
		outcome jwtgate.Outcome
		status  codes.Code
		user    bool
	}{
		{"accepted", true, jwtgate.Outcome{Identity: alice}, codes.Unset, true},
		{"accepted, without users", false, jwtgate.Outcome{Identity: alice}, codes.Unset, false},
		{"anonymous", true, jwtgate.Outcome{}, codes.Unset, false},
		{"forbidden", true, jwtgate.Outcome{Identity: alice, Code: forbidden.Code, Status: 403, Refusal: forbidden}, codes.Unset, false},
		{"broken", true, jwtgate.Outcome{Code: internal.Code, Status: 500, Refusal: internal}, codes.Error, false},
		{"broken, without a refusal", true, jwtgate.Outcome{Status: 500}, codes.Unset, false},
	} {
		spans := tracetest.NewSpanRecorder()
		tracer := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		tel, err := telemetry.New(telemetry.Config{TracerProvider: tracer, Users: row.users})
		if err != nil {
			t.Fatal(err)
		}
		ctx, request := tracer.Tracer("test").Start(t.Context(), "request")
		tel.Observer().Outcome(ctx, row.outcome)
		request.End()
		ended := spans.Ended()
		if got := ended[0].Status().Code; got != row.status {
			t.Errorf("%s: got status %v; want %v", row.name, got, row.status)
		}
		if got := slices.Contains(ended[1].Attributes(), attribute.String("user.id", "alice")); got != row.user {
			t.Errorf("%s: got user.id: %t; want %t", row.name, got, row.user)
		}
	}
}

// TestSpans checks the spans of traced requests, and that other requests have none.
func TestSpans(t *testing.T) {
	t.Parallel()
	f := newFixture(t, telemetry.Config{Users: true})
	tokens := f.signIn()
	d := f.Decide(t.Context(), get(tokens.Access.Token))
	d.Done()
	if got := f.spans.Ended(); len(got) != 0 {
		t.Errorf("not traced: got %d spans; want none", len(got))
	}
	traced := func(do func(ctx context.Context)) []trace.ReadOnlySpan {
		f.spans.Reset()
		ctx, request := f.tracer.Tracer("test").Start(t.Context(), "request")
		do(ctx)
		request.End()
		spans := f.spans.Ended()
		for _, span := range spans[:len(spans)-1] {
			if span.Parent().SpanID() != request.SpanContext().SpanID() || span.EndTime().Before(span.StartTime()) {
				t.Errorf("span %s: its parent or its times are wrong", span.Name())
			}
		}
		return spans
	}
	spans := traced(func(ctx context.Context) { d := f.Decide(ctx, get(tokens.Access.Token)); d.Done() })
	if len(spans) != 2 || spans[0].Name() != "jwtgate guard" || spans[0].Status().Code != codes.Unset {
		t.Errorf("got %d spans, the first is %q, %v", len(spans), spans[0].Name(), spans[0].Status())
	}
	if !slices.Contains(spans[1].Attributes(), attribute.String("user.id", "alice")) {
		t.Errorf("got attributes %v of the request; want user.id", spans[1].Attributes())
	}
	spans = traced(func(ctx context.Context) { d := f.Decide(ctx, get("x")); d.Done() })
	if len(spans) != 2 || spans[0].Status().Code != codes.Unset {
		t.Errorf("refused: got %d spans, the first is %q, %v", len(spans), spans[0].Name(), spans[0].Status())
	}
	f.store.broken = context.DeadlineExceeded
	spans = traced(func(ctx context.Context) { f.Refresh(ctx, post("refresh_token="+tokens.Refresh)) })
	if len(spans) != 3 || spans[0].Name() != "jwtgate store find" || spans[1].Name() != "jwtgate refresh" || spans[0].Status().Code != codes.Error ||
		!slices.Contains(spans[0].Attributes(), attribute.String("error.type", "timeout")) || spans[1].Status().Code != codes.Error {
		t.Errorf("got %d spans, the first is %q, %v", len(spans), spans[0].Name(), spans[0].Status())
	}
}
