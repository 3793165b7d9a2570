package settings

import "github.com/jwtgate/jwtgate/examples/internal/metrics"

// metrics returns the metrics to be served at addr.
func (e *environment) metrics(addr string) *metrics.Metrics {
	m, err := metrics.New(addr)
	if err != nil { // the names of the metrics are valid
		e.wrong("METRICS_ADDR", "is %q, but there can be no metrics (%v): unset it", addr, err)
	}
	return m
}
