package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An environment reads variables and collects the errors in their values.
type environment struct {
	get      func(variable string) string
	problems []error
}

func (e *environment) wrong(variable, reason string, args ...any) {
	e.problems = append(e.problems, &Problem{variable, fmt.Sprintf(reason, args...)})
}

func (e *environment) err() error { return errors.Join(e.problems...) }

func (e *environment) text(variable, byDefault string) string {
	if value := e.get(variable); value != "" {
		return value
	}
	return byDefault
}

// duration returns the value of a variable that must be greater than zero.
func (e *environment) duration(variable string, byDefault time.Duration) time.Duration {
	d := e.parseDuration(variable, byDefault)
	if d <= 0 {
		e.wrong(variable, "is %q: use a duration greater than zero, such as %v", e.get(variable), byDefault)
	}
	return d
}

// durationOrZero returns the value of a variable that must be zero or greater.
func (e *environment) durationOrZero(variable string, byDefault time.Duration) time.Duration {
	d := e.parseDuration(variable, byDefault)
	if d < 0 {
		e.wrong(variable, "is %q: use zero or a duration greater than zero, such as %v", e.get(variable), byDefault)
	}
	return d
}

// parseDuration returns byDefault if the variable is empty or not a duration.
func (e *environment) parseDuration(variable string, byDefault time.Duration) time.Duration {
	value := e.get(variable)
	if value == "" {
		return byDefault
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		e.wrong(variable, "is %q, which is not a duration: use a number with a unit, such as 90s, 15m or 24h", value)
		return byDefault
	}
	return d
}

func (e *environment) bool(variable string) bool {
	value := e.get(variable)
	if value == "" {
		return false
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		e.wrong(variable, "is %q: use true or false", value)
	}
	return b
}

// limit returns the value of a variable that must be greater than zero, or -1 for no
// limit.
func (e *environment) limit(variable string, byDefault int) int {
	n := e.parseInt(variable, byDefault)
	if n < 1 && n != -1 {
		e.wrong(variable, "is %q: use a number greater than zero, such as %d, or -1 for no limit", e.get(variable), byDefault)
	}
	return n
}

// int returns the value of a variable that must be greater than zero.
func (e *environment) int(variable string, byDefault int) int {
	n := e.parseInt(variable, byDefault)
	if n < 1 {
		e.wrong(variable, "is %q: use a number greater than zero, such as %d", e.get(variable), byDefault)
	}
	return n
}

// parseInt returns byDefault if the variable is empty or not a whole number.
func (e *environment) parseInt(variable string, byDefault int) int {
	value := e.get(variable)
	if value == "" {
		return byDefault
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		e.wrong(variable, "is %q, which is not a whole number: use a number such as %d", value, byDefault)
		return byDefault
	}
	return n
}

// secrets returns the value of a variable as one secret, or nil if it is empty.
func (e *environment) secrets(variable string) [][]byte {
	value := e.get(variable)
	if value == "" {
		return nil
	}
	return [][]byte{[]byte(value)}
}

// list returns the items of a comma-separated list, without empty ones.
func (e *environment) list(variable string) []string {
	var list []string
	for item := range strings.SplitSeq(e.get(variable), ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
