// Package docs has tests that compare documents of this repository with its code.
package docs
