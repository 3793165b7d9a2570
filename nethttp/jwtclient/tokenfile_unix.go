//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package jwtclient

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

func tryLock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the program says which
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
		// To close the file is not enough: the lock lasts as long as a child
		// process has the file open, as it does between fork and exec.
		_ = flock(file, syscall.LOCK_UN)
		_ = file.Close()
	}, nil
}

// flock calls flock(2) until no signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if err != syscall.EINTR {
			return err
		}
	}
}

// checkFolder wants a folder where others cannot put a file of theirs.
func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("jwtclient: everyone may write to the folder %s of the TokenFile: use one of your own", folder)
	}
	return nil
}

// checkFile wants a file that nobody else could read.
func checkFile(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("jwtclient: others may read or write %s: remove it and sign in again, or chmod 600 it", file.Name())
	}
	return nil
}

// syncFolder makes what was renamed or removed stay so after a power cut, on file
// systems that can.
func syncFolder(folder string) {
	if file, err := os.Open(folder); err == nil { //nolint:gosec // the program says which
		_ = file.Sync()
		_ = file.Close()
	}
}
