//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package jwtclient

import (
	"errors"
	"fmt"
	"os"
)

// tryLock returns an error. Without a lock that is released when its process ends,
// two processes could use the same refresh token, and the server would end the
// session as stolen.
func tryLock(string) (unlock func(), err error) {
	return nil, fmt.Errorf("jwtclient: TokenFile: file locks are not implemented for this system: use another Store: %w", errors.ErrUnsupported)
}

func checkFolder(string) error { return nil }

func checkFile(*os.File) error { return nil }

func syncFolder(string) {}
