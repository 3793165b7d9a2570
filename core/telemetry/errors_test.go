package telemetry_test

import (
	"errors"
	"testing"

	"github.com/jwtgate/jwtgate/core/telemetry"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

var errMeter = errors.New("no instruments")

// A lackingProvider provides a meter that cannot create instruments of one kind.
type lackingProvider struct {
	noop.MeterProvider

	lacks string
}

func (p lackingProvider) Meter(string, ...metric.MeterOption) metric.Meter {
	return lackingMeter{lacks: p.lacks}
}

type lackingMeter struct {
	noop.Meter

	lacks string
}

// err returns errMeter for the kind of instruments that m lacks.
func (m lackingMeter) err(kind string) error {
	if kind == m.lacks {
		return errMeter
	}
	return nil
}

func (m lackingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return noop.Int64Counter{}, m.err("counter")
}

func (m lackingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return noop.Float64Histogram{}, m.err("histogram")
}

func (m lackingMeter) Int64ObservableGauge(string, ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return noop.Int64ObservableGauge{}, m.err("gauge of counts")
}

func (m lackingMeter) Float64ObservableGauge(string, ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	return noop.Float64ObservableGauge{}, m.err("gauge of seconds")
}

func (m lackingMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return noop.Registration{}, m.err("callback")
}

// TestMeterFails checks that New and Watch return the errors of a meter.
func TestMeterFails(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		lacks      string
		new, watch error
	}{
		{"nothing", nil, nil},
		{"counter", errMeter, nil},
		{"histogram", errMeter, nil},
		{"gauge of counts", nil, errMeter},
		{"gauge of seconds", nil, errMeter},
		{"callback", nil, errMeter},
	} {
		tel, err := telemetry.New(telemetry.Config{MeterProvider: lackingProvider{lacks: row.lacks}})
		if !errors.Is(err, row.new) {
			t.Errorf("%s: got %v from New; want %v", row.lacks, err, row.new)
		}
		if err != nil {
			continue
		}
		if err := tel.Watch(nil); !errors.Is(err, row.watch) {
			t.Errorf("%s: got %v from Watch; want %v", row.lacks, err, row.watch)
		}
	}
}
