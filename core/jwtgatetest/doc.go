// Package jwtgatetest helps to test code that uses package jwtgate.
//
//   - [Token] and [Cookie] make the credentials of a client, and [TokenOf] and
//     [CookieOf] those with scopes and claims of the application. A [Clock] controls
//     when they expire. [Sign] makes tokens that no Auth would issue.
//   - [Context] makes a context for the unit test of a handler, without a request.
//   - [NewAuth] makes an Auth for the test of routes that any Auth can protect.
//   - [RunAdapter] tests an adapter, which connects jwtgate with a web framework.
//   - [RunStore] tests a session store.
package jwtgatetest
