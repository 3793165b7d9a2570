package jwtclient

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION: the file is open already.
const errSharing = syscall.Errno(32)

// tryLock locks the lock file with this path, or returns errLocked. It opens the
// file without sharing, so that no other process can open it until it is closed.
func tryLock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	const noSharing = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, noSharing, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, errLocked
	}
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: lock %s: %w", path, err)
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil
}

// On Windows, permissions are not in the mode of a file: the file inherits the
// access control list of its folder.

func checkFolder(string) error { return nil }

func checkFile(*os.File) error { return nil }

// syncFolder does nothing, because Windows cannot sync a folder.
func syncFolder(string) {}
