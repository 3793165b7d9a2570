// Package jwtgatetest helps to test code that uses package jwtgate.
//
//   - Tests of an application use [Token], [Cookie], [Sign] and [Clock]: credentials
//     for requests, and control of the time.
//   - The test of an adapter, which connects jwtgate with a web framework, is
//     [RunAdapter]. [NewAuth] is for additional tests of what only one framework has.
//   - The test of a session store is [RunStore].
package jwtgatetest
