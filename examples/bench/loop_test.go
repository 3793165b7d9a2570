package bench_test

import "testing"

// loop calls f with 0, 1, 2 and so on, for as long as b needs. Besides the wall
// clock time, loop reports the processor time if the system provides it, because
// the processor time excludes other programs on the machine.
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
