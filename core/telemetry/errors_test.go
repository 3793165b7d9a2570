package telemetry_test

import (
	"errors"
	"testing"

	"github.com/jwtgate/jwtgate/core/telemetry"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

var errMeter = errors.New("no instruments")

// A noGauges provides a meter that cannot create gauges.
type noGauges struct{ noop.MeterProvider }

func (noGauges) Meter(string, ...metric.MeterOption) metric.Meter { return noGaugesMeter{} }

type noGaugesMeter struct{ noop.Meter }

func (noGaugesMeter) Int64ObservableGauge(string, ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return nil, errMeter
}

func (noGaugesMeter) Float64ObservableGauge(string, ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	return nil, errMeter
}

// TestWatchFails checks that Watch returns the error of a meter.
func TestWatchFails(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: noGauges{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tel.Watch(nil); !errors.Is(err, errMeter) {
		t.Errorf("got %v; want %v", err, errMeter)
	}
}

// A noCounters provides a meter that cannot create counters.
type noCounters struct{ noop.MeterProvider }

func (noCounters) Meter(string, ...metric.MeterOption) metric.Meter { return noCountersMeter{} }

type noCountersMeter struct{ noop.Meter }

func (noCountersMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errMeter
}

// TestNewFails checks that New returns the error of a meter.
func TestNewFails(t *testing.T) {
	t.Parallel()
	if _, err := telemetry.New(telemetry.Config{MeterProvider: noCounters{}}); !errors.Is(err, errMeter) {
		t.Errorf("got %v; want %v", err, errMeter)
	}
}
