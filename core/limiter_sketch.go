package jwtgate

import "time"

// A failureSketch counts the failures of the last minute for any number of keys, in a
// fixed amount of memory. Each key has a cell in each row. A cell is a leaky bucket
// for all keys that share it, so the lowest of the four never counts too little.
type failureSketch struct {
	interval time.Duration // the time after which one failure is forgotten
	rows     [sketchRows][sketchWidth]failureCell
}

const (
	sketchRows  = 4
	sketchWidth = 1 << 12

	// failureWindow is the time in which as many failures are forgotten as the limit
	// allows.
	failureWindow = time.Minute
)

type failureCell struct {
	empty time.Duration // when all failures are forgotten
	held  int64         // checks in progress
}

// sketchCells are the cells of a key. The zero value has none.
type sketchCells [sketchRows]*failureCell

// newFailureSketch returns a sketch with a limit of failures a minute, which is at
// most maxFailures.
func newFailureSketch(limit int) *failureSketch {
	return &failureSketch{interval: failureWindow / time.Duration(limit)}
}

// cellsOf returns the cells of the key with hash.
func (s *failureSketch) cellsOf(hash uint64) (cells sketchCells) {
	for i := range cells {
		cells[i] = &s.rows[i][hash>>(16*i)%sketchWidth]
	}
	return cells
}

// wait returns how long the key has to wait until it is below its limit, whatever the
// result of the checks in progress is.
func (s *failureSketch) wait(cells sketchCells, now time.Duration) time.Duration {
	return max(s.lowest(cells, now, 0)+s.interval-failureWindow, 0)
}

// free reports whether the key would be below its limit if all checks in progress
// failed.
func (s *failureSketch) free(cells sketchCells, now time.Duration) bool {
	return s.lowest(cells, now, s.interval)+s.interval <= failureWindow
}

// lowest returns how long it takes until the cell with the lowest count is empty. Each
// check in progress counts as held.
func (s *failureSketch) lowest(cells sketchCells, now, held time.Duration) time.Duration {
	if cells[0] == nil {
		return 0
	}
	lowest := time.Duration(1<<63 - 1)
	for _, c := range cells {
		lowest = min(lowest, max(c.empty-now, 0)+held*time.Duration(c.held))
	}
	return lowest
}

// add counts a failure. A cell that counts more than the key has is not changed
// (conservative update).
func (s *failureSketch) add(cells sketchCells, now time.Duration) {
	if cells[0] == nil {
		return
	}
	empty := now + s.lowest(cells, now, 0) + s.interval
	for _, c := range cells {
		c.empty = max(c.empty, empty)
	}
}

// hold adds n checks in progress.
func (s *failureSketch) hold(cells sketchCells, n int64) {
	if cells[0] == nil {
		return
	}
	for _, c := range cells {
		c.held += n
	}
}
