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

// A TokenFile is a [Store] in the file of that path, so that a program is
// still signed in when it is started again. Several processes can share it: while
// one of them renews the tokens, the others wait, and then use what it got.
//
// The file is never readable by other users, not even for a moment, and is
// replaced as a whole: after a crash it has the old tokens or the new ones. Its
// folder is made if it is missing. A folder that everyone may write to, a file that
// others may read and one that is not a TokenFile's are errors, and stay as they are.
// While nobody is signed in, there is no file.
//
// Next to the file are one named .lock, which stays, and during an update one
// named .new. The lock is one of the operating system, so it ends with its holder:
// flock on Linux, macOS, the BSDs and illumos, which is of no effect between
// machines on some network file systems; a file that is opened for oneself alone
// on Windows, where access is what the folder allows. On other systems, Update
// fails with [errors.ErrUnsupported].
type TokenFile string

// Update implements [Store].
func (f TokenFile) Update(ctx context.Context, change func(stored Tokens) (Tokens, error)) error {
	if f == "" {
		return errors.New("jwtclient: TokenFile is empty: give it a path")
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

// tokenJSON is what the file has, in the words of RFC 6749 §5.1.
type tokenJSON struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

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
	if err := json.Unmarshal(text, &stored); err != nil || !sendable(stored.Access) {
		return Tokens{}, fmt.Errorf("jwtclient: %s is not what TokenFile writes: if it is yours to remove, do, and sign in again", f)
	}
	return Tokens(stored), nil
}

// write replaces the file, or removes it if there are no tokens.
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
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a crash
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

// create writes a file that was not there, down to the disk.
func create(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the program says which
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

// errLocked is that someone else has the lock.
var errLocked = errors.New("jwtclient: TokenFile: another process has the lock")

// lockPoll is how often a lock is tried. The system's own wait could not be cancelled.
const lockPoll = 20 * time.Millisecond

// lock waits for the lock of that path as long as ctx lasts.
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
