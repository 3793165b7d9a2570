package jwtclient

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION: somebody has the file open.
const errSharing = syscall.Errno(32)

// tryLock opens the file so that nobody else can, until it is closed.
func tryLock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	const shareWithNobody = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, shareWithNobody, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, errLocked
	}
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: lock %s: %w", path, err)
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil
}

// Who may do what is not in the mode there, but in lists that a file has from its folder.

func checkFolder(string) error { return nil }

func checkFile(*os.File) error { return nil }

// syncFolder does nothing: a folder cannot be flushed there.
func syncFolder(string) {}
