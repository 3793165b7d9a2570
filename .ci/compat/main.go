// Compat compares the exported API of every released module with that of the last
// release. From folder .ci:
//
//	GOWORK=off go run ./compat
//
// It fails if code that uses the last release might no longer compile. Before
// v1.0.0, the change log can allow such a change. The names alone are also in a
// golden file, see TestExportedNames in examples.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := compare(ctx, "..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(report)
}
