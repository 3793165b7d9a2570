// Command jwtgate makes keys and tokens for development, and explains tokens.
//
//	jwtgate key      prints a new secret or private key
//	jwtgate jwks     prints the public halves of keys as a JWK Set
//	jwtgate token    prints a signed access token, for a first request with curl
//	jwtgate explain  prints what a token says, and which settings it has to match
//
// Run a command with -h for its flags. Nothing is sent over the network, except that
// explain fetches a JWK Set if it is given the address of one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// A program is what the commands use of their process, so that tests can replace it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
}

// commands are the commands by name.
var commands = map[string]func(*program, context.Context, []string) error{
	"key":     (*program).key,
	"jwks":    (*program).jwks,
	"token":   (*program).token,
	"explain": (*program).explain,
}

const usage = `jwtgate makes keys and tokens for development, and explains tokens.

    jwtgate key      prints a new secret or private key
    jwtgate jwks     prints the public halves of keys as a JWK Set
    jwtgate token    prints a signed access token
    jwtgate explain  prints what a token says, and which settings it has to match

Run a command with -h for its flags.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// run runs the command that args name, and returns the exit status: 0, 1 if the
// command failed, or 2 if it was called with wrong arguments.
func (p *program) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		_, _ = io.WriteString(p.stderr, usage)
		return 2
	}
	command, known := commands[args[0]]
	if !known {
		if args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help" {
			_, _ = io.WriteString(p.stderr, usage)
			return 0
		}
		_, _ = fmt.Fprintf(p.stderr, "jwtgate: unknown command %.70q\n\n%s", args[0], usage)
		return 2
	}
	switch err := command(p, ctx, args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		_, _ = fmt.Fprintf(p.stderr, "jwtgate %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

// errUsage is the error for wrong arguments, which are reported already.
var errUsage = errors.New("wrong arguments")

// flags returns the flag set of a command. Its usage shows synopsis and the flags.
func (p *program) flags(name, synopsis string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(p.stderr)
	set.Usage = func() {
		_, _ = fmt.Fprintf(p.stderr, "usage: jwtgate %s %s\n\n", name, synopsis)
		set.PrintDefaults()
	}
	return set
}

// parse parses args, of which at most the given number may follow the flags.
func parse(set *flag.FlagSet, args []string, operands int) error {
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if set.NArg() > operands {
		_, _ = fmt.Fprintf(set.Output(), "unexpected argument %q\n", set.Arg(operands))
		set.Usage()
		return errUsage
	}
	return nil
}

// A list is a flag that can be given several times.
type list []string

func (l *list) String() string     { return fmt.Sprint([]string(*l)) }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }
