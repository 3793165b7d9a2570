package jwtgatetest

import (
	"sync"
	"time"
)

// A Clock is a clock for tests. It moves only when the test calls
// [Clock.Advance]. Use its method Now for [jwtgate.Config].Now. A Clock is safe
// for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a Clock whose time is start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the time of c.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves c forward by d, or back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
