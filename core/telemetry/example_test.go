package telemetry_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/telemetry"
)

// The application chooses the SDK and the exporter, here a reader in memory.
func Example() {
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	t, err := telemetry.New(telemetry.Config{MeterProvider: provider})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:    "https://auth.example.com",
		Audience:  "https://api.example.com",
		Keys:      keys.HS256([]byte("a secret of at least 32 bytes that only this server knows")),
		Observers: []jwtgate.Observer{t.Observer()},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Watch(auth); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	auth.Decide(ctx, jwtgate.Request{Method: http.MethodGet}) // without a token

	var got metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &got); err != nil {
		log.Fatal(err)
	}
	for _, m := range got.ScopeMetrics[0].Metrics {
		sum, ok := m.Data.(metricdata.Sum[int64])
		if !ok || m.Name != "jwtgate.decisions" {
			continue
		}
		for _, point := range sum.DataPoints {
			if code, _ := point.Attributes.Value("jwtgate.code"); point.Value > 0 {
				fmt.Println(m.Name, code.AsString(), point.Value)
			}
		}
	}
	// Output: jwtgate.decisions token_missing 1
}
