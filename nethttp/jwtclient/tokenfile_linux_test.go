package jwtclient_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
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

// duplicate returns a duplicate of the file descriptor by which this process has
// the file open.
func duplicate(t *testing.T, path string) int {
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
		duplicated, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		syscall.CloseOnExec(duplicated)
		return duplicated
	}
	t.Fatalf("%s is not open", path)
	return -1
}
