// Package jwtgatetest helps to test code that uses package jwtgate.
//
//   - [Token], [Cookie] and [Sign] make credentials for the tests of an application,
//     and a [Clock] controls the time.
//   - [RunAdapter] tests an adapter, which connects jwtgate with a web framework.
//     [NewAuth] is for additional tests of features that only one framework has.
//   - [RunStore] tests a session store.
package jwtgatetest
