package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// environment reads variables and collects what is wrong with them.
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

// duration returns a duration above zero.
func (e *environment) duration(variable string, byDefault time.Duration) time.Duration {
	d := e.durationOrZero(variable, byDefault)
	if d == 0 {
		e.wrong(variable, "is zero: use a duration above that, such as %v", byDefault)
	}
	return d
}

// durationOrZero returns a duration, or its default for one that cannot be.
func (e *environment) durationOrZero(variable string, byDefault time.Duration) time.Duration {
	value := e.get(variable)
	if value == "" {
		return byDefault
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		e.wrong(variable, "%q is not a duration: use a number with a unit, such as 90s, 15m or 24h", value)
		return byDefault
	case d < 0:
		e.wrong(variable, "is %v: use a duration above zero, such as %v", d, byDefault)
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
		e.wrong(variable, "%q is neither: use true or false", value)
	}
	return b
}

func (e *environment) int(variable string) int {
	value := e.get(variable)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		e.wrong(variable, "%q is not a number: use one, such as 5", value)
	}
	return n
}

// secrets returns the secret in a variable, if there is one.
func (e *environment) secrets(variable string) [][]byte {
	value := e.get(variable)
	if value == "" {
		return nil
	}
	return [][]byte{[]byte(value)}
}

// list returns what stands between the commas of a variable.
func (e *environment) list(variable string) []string {
	var list []string
	for item := range strings.SplitSeq(e.get(variable), ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
