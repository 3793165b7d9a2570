// Package providers has the configuration for the tokens of well-known identity
// providers, one file for each. The README shows the same lines, and says where their
// values come from. Copy the function that you need, and replace its values by yours.
package providers
