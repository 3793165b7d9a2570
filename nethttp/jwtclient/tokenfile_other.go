//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package jwtclient

import (
	"errors"
	"fmt"
	"os"
)

// tryLock fails: without a lock that ends with its holder, two processes would
// trade the same refresh token, and the session would be taken for stolen.
func tryLock(string) (unlock func(), err error) {
	return nil, fmt.Errorf("jwtclient: TokenFile: no file locks on this system: %w", errors.ErrUnsupported)
}

func checkFolder(string) error { return nil }

func checkFile(*os.File) error { return nil }

func syncFolder(string) {}
