package bench_test

import "testing"

// loop calls f, with numbers from zero, for as long as b wants. Beside the time by
// the clock it reports that of the processors, where the system tells: what else
// the machine is busy with is not in that.
func loop(b *testing.B, f func(i int)) {
	b.Helper()
	b.ReportAllocs()
	before := processorTime()
	for i := 0; b.Loop(); i++ {
		f(i)
	}
	if used := processorTime() - before; used > 0 {
		b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
	}
}
