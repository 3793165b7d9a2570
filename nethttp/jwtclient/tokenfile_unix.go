//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package jwtclient

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock locks the lock file with this path, or returns errLocked.
func tryLock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the choice of the program
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("jwtclient: TokenFile: lock %s: %w", path, err)
	}
	return func() {
		// Closing the file does not release the lock while a child process has the
		// file open too, as every child process has between fork and exec.
		_ = flock(file, syscall.LOCK_UN)
		_ = file.Close()
	}, nil
}

// flock calls flock(2), again if a signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if err != syscall.EINTR {
			return err
		}
	}
}

// checkFolder returns an error if every user can create files in folder.
func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("jwtclient: every user can write to %s, the folder of the TokenFile: use a folder that only you can write to", folder)
	}
	return nil
}

// checkFile returns an error if other users can read or write file.
func checkFile(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("jwtclient: other users can read or write %s: remove it and sign in again, or run chmod 600 on it", file.Name())
	}
	return nil
}

// syncFolder syncs folder to the disk, so that a file that was renamed or removed
// stays so after a power failure. Not all file systems support that, so errors are
// ignored.
func syncFolder(folder string) {
	if file, err := os.Open(folder); err == nil { //nolint:gosec // the path is the choice of the program
		_ = file.Sync()
		_ = file.Close()
	}
}
