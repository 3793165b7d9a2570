// Package examples tests the example servers nethttp, echo, gin and fiber. They
// are the same small application, written once for each framework. From the
// repository root,
//
//	go run ./examples/nethttp
//
// serves the application on 127.0.0.1:8080 and prints commands to try. Package
// settings lists the environment variables that configure a server. Command
// client calls the API of any of the servers.
package examples
