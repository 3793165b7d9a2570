package telemetry_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/telemetry"
)

// newObserver returns a Telemetry, and a fixture without an Auth that reads its metrics.
func newObserver(t *testing.T) (*telemetry.Telemetry, *fixture) {
	t.Helper()
	f := &fixture{t: t, reader: metric.NewManualReader()}
	tel, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(f.reader))})
	if err != nil {
		t.Fatal(err)
	}
	return tel, f
}

// TestObserver checks what is counted for observations that TestMetrics does not cause.
func TestObserver(t *testing.T) {
	t.Parallel()
	tel, f := newObserver(t)
	o := tel.Observer()
	for _, row := range []struct {
		name string
		do   func()
		want string
	}{
		{"reuse", func() { o.Event(t.Context(), jwtgate.Event{Kind: jwtgate.EventReused}) }, "events event=reused: +1\nsessions.ended reason=reused: +1\nsessions.replayed: +1"},
		{"feed", func() { o.StoreUse(t.Context(), jwtgate.StoreUse{Operation: "feed", Err: io.EOF}) }, "feed.interruptions: +1"},
		{"canceled", func() { o.StoreUse(t.Context(), jwtgate.StoreUse{Operation: "find", Err: context.Canceled}) }, "store.duration error.type=canceled operation=find: +1"},
		{"full", func() { o.StoreUse(t.Context(), jwtgate.StoreUse{Operation: "create", Err: session.ErrFull}) }, "store.duration error.type=full operation=create: +1"},
		{"keys", func() { o.KeyFetch(t.Context(), jwtgate.KeyFetch{Issuer: "i"}) }, "keys.fetch.duration issuer=i: +1"},
	} {
		if got := f.do(row.do); got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}

// TestKeysHeld checks the gauges of keys that were fetched.
func TestKeysHeld(t *testing.T) {
	t.Parallel()
	tel, f := newObserver(t)
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://idp.example",
		Audience: "https://api.example",
		Keys:     keys.Remote{URL: "https://idp.example/keys", Transport: oneKey{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer auth.Close()
	if err := tel.Watch(auth); err != nil {
		t.Fatal(err)
	}
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := f.read()
	if held := now["keys.held issuer=https://idp.example"]; held != 1 {
		t.Errorf("got keys.held %v; want 1", held)
	}
	if age, ok := now["keys.age issuer=https://idp.example"]; !ok || age < 0 || age > 30 {
		t.Errorf("got keys.age %v, present: %t; want a few seconds at most", age, ok)
	}
}

// A oneKey answers each request with a key of RFC 7517 appendix A.1.
type oneKey struct{}

func (oneKey) RoundTrip(r *http.Request) (*http.Response, error) {
	const set = `{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(set)), Request: r}, nil
}
