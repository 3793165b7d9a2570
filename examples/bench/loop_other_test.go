//go:build !unix

package bench_test

import "time"

// processorTime returns 0, because it is not implemented on this system.
func processorTime() time.Duration { return 0 }
