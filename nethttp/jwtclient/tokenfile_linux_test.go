package jwtclient_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestTokenFileUnlocks checks that the lock is free after Update even if a child
// process has inherited the lock file, as every process has between fork and exec.
// A duplicate of the file descriptor stands for the child's.
func TestTokenFileUnlocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.json")
	file := jwtclient.TokenFile(path)
	inherited := -1
	err := file.Update(t.Context(), func(stored jwtclient.Tokens) (jwtclient.Tokens, error) {
		inherited = duplicate(t, path+".lock")
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = file.Update(ctx, func(stored jwtclient.Tokens) (jwtclient.Tokens, error) { return stored, nil })
	if err != nil {
		t.Errorf("got %v; want the lock to be free", err)
	}
}

// TestTokenFileCloses checks which files are open while the tokens change, and after it,
// also if Update fails because the lock is held or because others can open the lock file.
func TestTokenFileCloses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.json")
	put(t, jwtclient.TokenFile(path), jwtclient.Tokens{Access: "a"})
	err := jwtclient.TokenFile(path).Update(t.Context(), func(stored jwtclient.Tokens) (jwtclient.Tokens, error) {
		if descriptor(t, path) >= 0 || descriptor(t, path+".lock") < 0 {
			t.Error("while the tokens change: want the lock file open, and not the file")
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := jwtclient.TokenFile(path).Update(canceled, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("while the tokens change: got %v; want %v", err, context.Canceled)
		}
		return stored, os.Chmod(path+".lock", 0o604)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, jwtclient.TokenFile(path)); err == nil {
		t.Error("a lock file that others can open: got no error; want one")
	}
	for _, path := range []string{path, path + ".lock", filepath.Dir(path)} {
		if descriptor(t, path) >= 0 {
			t.Errorf("afterwards, %s is open; want it closed", path)
		}
	}
}

// duplicate returns a duplicate of the file descriptor by which this process has
// the file open.
func duplicate(t *testing.T, path string) int {
	t.Helper()
	fd := descriptor(t, path)
	if fd < 0 {
		t.Fatalf("%s is not open", path)
	}
	duplicated, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(duplicated)
	return duplicated
}

// descriptor returns a file descriptor by which this process has the file open, or -1.
func descriptor(t *testing.T, path string) int {
	t.Helper()
	want, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	const folder = "/proc/self/fd"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := os.Stat(filepath.Join(folder, entry.Name()))
		if err != nil || !os.SameFile(info, want) {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	return -1
}

// TestTokenFileOwner checks that files and folders of other users cause an error, and
// are not changed. Only root can give files to another user.
func TestTokenFileOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to another user")
	}
	const another, anotherGroup = 65534, 65534
	for _, row := range []struct {
		name   string
		change func(folder, path string) error
		want   string // what the error names: the path or the folder
	}{
		{"unchanged", func(string, string) error { return nil }, ""},
		{"file of another user", func(_, path string) error { return os.Chown(path, another, -1) }, "path"},
		{"lock file of another user", func(_, path string) error { return os.Chown(path+".lock", another, -1) }, "path"},
		{"lock file that others can open", func(_, path string) error { return os.Chmod(path+".lock", 0o604) }, "path"},
		{"folder of another user", func(folder, _ string) error { return os.Chown(folder, another, -1) }, "folder"},
		{"folder of another group", func(folder, _ string) error { return os.Chown(folder, -1, anotherGroup) }, ""},
		{"folder that another group can write to", func(folder, _ string) error {
			return errors.Join(os.Chown(folder, -1, anotherGroup), os.Chmod(folder, 0o770))
		}, "folder"},
		{"folder that the own group can write to", func(folder, _ string) error { return os.Chmod(folder, 0o770) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "tokens.json")
			file := jwtclient.TokenFile(path)
			put(t, file, jwtclient.Tokens{Access: "a"})
			if err := row.change(folder, path); err != nil {
				t.Fatal(err)
			}
			_, err := look(t, file)
			want := map[string]string{"path": path, "folder": folder + ","}[row.want]
			if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v; want an error that names %q", err, want)
			}
		})
	}
}

// TestTokenFileOwnerRoot checks that a process of another user accepts folders of root and
// of its group. Only root can start such a process: a copy of this one, which runs the test again.
func TestTokenFileOwnerRoot(t *testing.T) {
	t.Parallel()
	const another, anotherGroup = 65534, 65534
	if path := os.Getenv("TEST_TOKEN_FILE_OWNER"); path != "" {
		put(t, jwtclient.TokenFile(path), jwtclient.Tokens{Access: "a"})
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	for _, row := range []struct {
		name         string
		owner, group int // of the folder, which both can write to
	}{
		{"folder of root", 0, anotherGroup},
		{"folder of root's group", another, 0},
	} {
		folder := t.TempDir()
		if err := errors.Join(os.Chmod(filepath.Dir(folder), 0o711), os.Chmod(folder, 0o770), os.Chown(folder, row.owner, row.group)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestTokenFileOwnerRoot$")
		cmd.Env = append(os.Environ(), "TEST_TOKEN_FILE_OWNER="+filepath.Join(folder, "tokens.json"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: another, Gid: anotherGroup}}
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: got %v; want it accepted: %s", row.name, err, output)
		}
	}
}

// TestTokenFileLockLink checks that a lock file which is a symbolic link is not followed.
func TestTokenFileLockLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, elsewhere := filepath.Join(folder, "tokens.json"), filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Symlink(elsewhere, path+".lock"); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, jwtclient.TokenFile(path)); err == nil || !strings.Contains(err.Error(), path+".lock") || !strings.Contains(err.Error(), "symbolic link: remove it") {
		t.Errorf("got %v; want an error that names the lock file and says what to do", err)
	}
	if _, err := os.Stat(elsewhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the target of the link: got %v; want it not to exist", err)
	}
}

// TestTokenFileReadError checks the errors of files that cannot be opened or read.
func TestTokenFileReadError(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	loop, private, locked := filepath.Join(folder, "loop"), filepath.Join(folder, "private"), filepath.Join(folder, "locked")
	if err := errors.Join(os.Symlink(loop, loop), os.Mkdir(private, 0o700), os.Mkdir(locked+".lock", 0o700)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{loop: syscall.ELOOP, private: syscall.EISDIR, locked: syscall.EISDIR} {
		if _, err := look(t, jwtclient.TokenFile(path)); !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "jwtclient: TokenFile: ") {
			t.Errorf("%s: got %v; want %v", path, err, want)
		}
	}
}

// TestTokenFileFull checks that a full disk causes an error and leaves the stored tokens
// as they are. A copy of this process with a limit for its files stands for the disk.
func TestTokenFileFull(t *testing.T) {
	t.Parallel()
	old, next := jwtclient.Tokens{Access: "old"}, jwtclient.Tokens{Access: "next"}
	if path := os.Getenv("TEST_TOKEN_FILE_FULL"); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4, Max: 4}); err != nil {
			t.Fatal(err)
		}
		err := jwtclient.TokenFile(path).Update(t.Context(), func(jwtclient.Tokens) (jwtclient.Tokens, error) { return next, nil })
		if !errors.Is(err, syscall.EFBIG) {
			os.Exit(1) // the limit is for the output, too
		}
		os.Exit(0)
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	put(t, jwtclient.TokenFile(path), old)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTokenFileFull$")
	cmd.Env = append(os.Environ(), "TEST_TOKEN_FILE_FULL="+path)
	if err := cmd.Run(); err != nil {
		t.Errorf("got %v; want the error of a full disk", err)
	}
	if got, err := look(t, jwtclient.TokenFile(path)); got != old || err != nil {
		t.Errorf("got %v, %v; want the tokens from before", got, err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v; want no other file", err)
	}
}
