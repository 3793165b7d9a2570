// Package metrics serves the metrics of an example server in the format of Prometheus.
package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/telemetry"
)

// Metrics are the metrics of a server. They have an address of their own, which the
// users of the server cannot reach.
type Metrics struct {
	addr      string
	registry  *prometheus.Registry
	telemetry *telemetry.Telemetry
}

// New returns metrics to be served at addr.
func New(addr string) (*Metrics, error) {
	m := &Metrics{addr: addr, registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := exporter.New(exporter.WithRegisterer(m.registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if m.telemetry, err = telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))}); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}

// Observer returns the observer for jwtgate.Config.
func (m *Metrics) Observer() jwtgate.Observer { return m.telemetry.Observer() }

// Serve serves GET /metrics in the background, with the state of auth, until ctx is done.
// The error says why it cannot listen.
func (m *Metrics) Serve(ctx context.Context, auth *jwtgate.Auth) error {
	if err := m.telemetry.Watch(auth); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", m.addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }() // until Close
	return nil
}
