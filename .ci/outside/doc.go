// Package outside has tests that make a release of this repository in a temporary
// folder and use it as applications do: by the commands that the README shows,
// outside the workspace and without replace directives.
package outside
