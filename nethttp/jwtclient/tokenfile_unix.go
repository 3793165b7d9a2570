//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package jwtclient

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock locks the lock file with this path, or returns errLocked. It does not follow
// a symbolic link, which could create or lock a file elsewhere.
func tryLock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // the path is the choice of the program
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) {            // EMLINK on FreeBSD
		return nil, fmt.Errorf("jwtclient: %s, the lock file of the TokenFile, is a symbolic link: remove it", path)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if err := checkFile(file); err != nil {
		_ = file.Close()
		return nil, err
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

// checkFolder returns an error if another user than root can create files in folder.
// The user's own group may: on many systems, each user has one.
func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	group := known && int(stat.Gid) != os.Getegid() && stat.Gid != 0
	if mode := info.Mode().Perm(); mode&0o002 != 0 || mode&0o020 != 0 && group {
		return fmt.Errorf("jwtclient: other users can write to %s, the folder of the TokenFile: use a folder that only you can write to, such as a new one in it", folder)
	}
	if known && int(stat.Uid) != os.Geteuid() && stat.Uid != 0 {
		return fmt.Errorf("jwtclient: %s, the folder of the TokenFile, belongs to another user, who could replace the tokens: use a folder of your own", folder)
	}
	return nil
}

// checkFile returns an error if file belongs to another user, or if other users can
// read or write it.
func checkFile(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if stat, known := info.Sys().(*syscall.Stat_t); known && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("jwtclient: %s belongs to another user: remove it and sign in again, or choose another path", file.Name())
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
