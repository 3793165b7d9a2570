// Package examples tests the example servers nethttp, echo, echo5, gin, fiber and
// fiber3. They are the same small application, written once for each framework, or
// for each major version of it. From the repository root,
//
//	go run ./examples/nethttp
//
// serves the application on 127.0.0.1:8080 and prints commands to try. Package
// settings lists the environment variables that configure a server. Command
// client calls the API of any of the servers, and command soak keeps clients signed in for
// a long time. The folder guides has a small program for each of the tasks of a new user.
package examples
