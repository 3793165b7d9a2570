// Command soak keeps clients of every difficult kind signed in for a long time, and
// reports whether one of them was signed out.
//
//	go run ./examples/soak -for 1h -store redis -faults
//
// The access tokens live for 5 seconds, so that every client is renewed again and
// again. The clients are Chromium with three tabs, a browser whose requests nginx has
// judged by auth_request, a browser of a Fiber application that passes requests on,
// a browser that uploads for 30 seconds, and a client that dies between its requests
// and their answers. They use two applications, which share the store like two
// processes.
//
// With -faults, Redis crashes, hangs and drops its connections in between. The answers
// 503 to that are no mistake.
//
// It needs nginx, Chromium and, for -store redis, Redis. The exit status is 1 if a
// client was signed out, or an answer was wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	duration := flag.Duration("for", time.Minute, "how long the clients run")
	store := flag.String("store", "memory", "where the sessions are: memory or redis")
	faults := flag.Bool("faults", false, "let Redis fail in between; only with -store redis")
	flag.Parse()
	if err := run(*duration, *store, *faults); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run prints the report of one soak. A signal ends it early.
func run(duration time.Duration, store string, faults bool) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := new(command)
	defer func() {
		if failure, ok := recover().(failure); ok {
			err = failure
		}
		c.cleanUp()
	}()
	s := newSoak(c, store, faults)
	s.run(ctx, duration)
	fmt.Println(s.report())
	if s.failed() {
		return errors.New("a client was signed out, or an answer was wrong")
	}
	return nil
}

// A command is the programs.T of this command.
type command struct{ cleanups []func() }

// A failure is the value of a panic that ends the command.
type failure string

func (f failure) Error() string { return string(f) }

func (c *command) Helper()                   {}
func (c *command) Cleanup(f func())          { c.cleanups = append(c.cleanups, f) }
func (c *command) Fatal(args ...any)         { panic(failure(fmt.Sprint(args...))) }
func (c *command) Fatalf(s string, a ...any) { panic(failure(fmt.Sprintf(s, a...))) }
func (c *command) Skip(args ...any)          { c.Fatal(args...) }
func (c *command) Skipf(s string, a ...any)  { c.Fatalf(s, a...) }
func (c *command) Errorf(s string, a ...any) {
	fmt.Fprintf(os.Stderr, s+"\n", a...)
}

// TempDir returns a new folder, which cleanUp removes.
func (c *command) TempDir() string {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// cleanUp stops everything that was started, the last first.
func (c *command) cleanUp() {
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		c.cleanups[i]()
	}
}
