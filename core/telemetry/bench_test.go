package telemetry_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/telemetry"
)

// BenchmarkObserver measures a request with a cached token, with and without metrics.
func BenchmarkObserver(b *testing.B) {
	for _, row := range []struct {
		name string
		on   bool
	}{{"off", false}, {"metrics", true}} {
		b.Run(row.name, func(b *testing.B) {
			config := jwtgate.Config{
				Issuer: "https://auth.example", Audience: "https://api.example",
				Keys: keys.HS256([]byte("a secret of at least 32 bytes for tests")),
			}
			if row.on {
				tel, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))})
				if err != nil {
					b.Fatal(err)
				}
				config.Observers = []jwtgate.Observer{tel.Observer()}
			}
			auth, err := jwtgate.New(config)
			if err != nil {
				b.Fatal(err)
			}
			token, err := auth.Issue(b.Context(), jwtgate.Grant{Subject: "alice"})
			if err != nil {
				b.Fatal(err)
			}
			ctx, req := context.Background(), get(token.Token)
			b.ReportAllocs()
			for b.Loop() {
				d := auth.Decide(ctx, req)
				d.Done()
				if d.Refusal != nil {
					b.Fatal(d.Refusal)
				}
			}
		})
	}
}
