// Package examples is the same small application four times, as each framework's
// users write it: in nethttp, echo, gin and fiber. From the repository root,
//
//	go run ./examples/nethttp
//
// serves it on 127.0.0.1:8080 and prints what to try. Package settings has the
// environment variables that change it. The tests here drive all four. Client is
// a program that calls any of them.
package examples
