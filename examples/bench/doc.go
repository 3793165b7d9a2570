// Package bench measures the cost of guarding a route. It compares this library
// with a handler without a guard and with other libraries, in one run and with
// the same token. From the repository root,
//
//	go run ./examples/bench/report
//
// runs the benchmarks several times and prints the ratios beside their targets.
//
// The package is a separate module, and only its tests import the other
// libraries, so that no program depends on them.
package bench
