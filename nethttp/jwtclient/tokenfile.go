package jwtclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A TokenFile is a [Store] that keeps the tokens in the file with this path, so that
// a program is still signed in when it is started again. Several processes can
// share the file. While one of them renews the tokens, the others wait, and then
// use the new tokens.
//
// Other users can never read the file, not even while it is created. The file is
// replaced atomically: after a crash it has the old tokens or the new ones. Its
// folder is created if necessary. Update returns an error, and leaves the file as it
// is, if another user than root owns the folder, if users outside of your own group can
// write to it, if another user owns the file or can read or write it, or if the file
// was not written by a TokenFile. There is no file while nobody is signed in.
//
// Next to the file, Update creates a file with the suffix .lock, which it does not
// remove and which must not be a symbolic link, and one with the suffix .new while it
// writes. The operating system releases the lock when the process that holds it ends.
// On Linux, macOS, the BSDs and illumos the lock is flock(2), which on some network
// file systems does not work between machines. On Windows it is a file opened without
// sharing, and the permissions of the folder decide who can read the tokens. On other
// systems, Update returns an error that wraps [errors.ErrUnsupported].
type TokenFile string

// Update implements [Store].
func (f TokenFile) Update(ctx context.Context, change func(stored Tokens) (Tokens, error)) error {
	if f == "" {
		return errors.New("jwtclient: TokenFile is empty: set it to the path of a file")
	}
	folder := filepath.Dir(string(f))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	if err := checkFolder(folder); err != nil {
		return err
	}
	unlock, err := lock(ctx, string(f)+".lock")
	if err != nil {
		return err
	}
	defer unlock()

	stored, err := f.read()
	if err != nil {
		return err
	}
	next, err := change(stored)
	if err != nil || next.equal(stored) {
		return err
	}
	if err := f.write(next); err != nil {
		return fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	return nil
}

// tokenJSON is the content of the file, with the names of RFC 6749 §5.1.
type tokenJSON struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// maxTokenFile is how many bytes of the file are read.
const maxTokenFile = 64 << 10

func (f TokenFile) read() (Tokens, error) {
	file, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return Tokens{}, nil
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := checkFile(file); err != nil {
		return Tokens{}, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTokenFile))
	if err != nil {
		return Tokens{}, fmt.Errorf("jwtclient: TokenFile: %w", err)
	}
	var stored tokenJSON
	if err := json.Unmarshal(text, &stored); err != nil || !visibleASCII(stored.Access) {
		return Tokens{}, fmt.Errorf("jwtclient: %s was not written by a TokenFile: choose another path, or remove the file and sign in again", f)
	}
	return Tokens(stored), nil
}

// write replaces the file, or removes it if tokens are zero.
func (f TokenFile) write(tokens Tokens) error {
	path := string(f)
	folder := filepath.Dir(path)
	if tokens == (Tokens{}) {
		err := os.Remove(path)
		syncFolder(folder)
		return err
	}
	text, err := json.Marshal(tokenJSON(tokens))
	if err != nil {
		return err
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) { // after a crash
		return err
	}
	if err := create(fresh, append(text, '\n')); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	syncFolder(folder)
	return nil
}

// create writes text to a new file and syncs it to the disk.
func create(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the choice of the program
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// errLocked is the error of tryLock if the lock is held.
var errLocked = errors.New("jwtclient: TokenFile: another process holds the lock")

// lockPoll is the time between two attempts to lock. A blocking lock of the
// operating system could not be canceled.
const lockPoll = 20 * time.Millisecond

// lock locks the lock file with this path. It waits until ctx ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		unlock, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", errLocked, ctx.Err())
		}
	}
}
