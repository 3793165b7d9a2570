// Package bench measures what guarding a route costs: the bare handler, the ways
// of this project and those of others, with one token, in one run. From the
// repository root,
//
//	go run ./examples/bench/report
//
// runs it several times over and prints the ratios beside their targets.
//
// It is a module of its own, and all that needs others' libraries is in tests,
// so that no program is linked with what it is compared to.
package bench
