package jwtclient_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// put stores tokens in file.
func put(t *testing.T, file jwtclient.TokenFile, tokens jwtclient.Tokens) {
	t.Helper()
	if err := file.Update(t.Context(), func(jwtclient.Tokens) (jwtclient.Tokens, error) { return tokens, nil }); err != nil {
		t.Fatal(err)
	}
}

// look returns the tokens in file.
func look(t *testing.T, file jwtclient.TokenFile) (got jwtclient.Tokens, err error) {
	t.Helper()
	err = file.Update(t.Context(), func(stored jwtclient.Tokens) (jwtclient.Tokens, error) {
		got = stored
		return stored, nil
	})
	return got, err
}

// TestTokenFile stores tokens, replaces them and removes them.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "some", "app", "tokens.json")
	file := jwtclient.TokenFile(path)
	if got, err := look(t, file); got != (jwtclient.Tokens{}) || err != nil {
		t.Errorf("no file: got %v, %v; want nothing", got, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no tokens: got %v; want no file", err)
	}
	for _, want := range []jwtclient.Tokens{
		{Access: "a", Refresh: "r", Expires: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)},
		{Access: "!~"},
		{Access: "<&>", Refresh: "~"},
	} {
		put(t, file, want)
		if got, err := look(t, file); got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	failed := errors.New("failed")
	err := file.Update(t.Context(), func(jwtclient.Tokens) (jwtclient.Tokens, error) { return jwtclient.Tokens{Access: "b"}, failed })
	if got, _ := look(t, file); !errors.Is(err, failed) || got.Access != "<&>" {
		t.Errorf("a change that failed: got %v, and %v is stored; want the error and what was stored", err, got)
	}
	put(t, file, jwtclient.Tokens{})
	put(t, file, jwtclient.Tokens{})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("signed out: got %v; want no file", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != "tokens.json.lock" {
		t.Errorf("got %v, %v; want the lock alone", entries, err)
	}
}

// TestTokenFileModes checks that other users can never read the file.
func TestTokenFileModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("on Windows, the folder decides who can read the file")
	}
	folder := filepath.Join(t.TempDir(), "app")
	path := filepath.Join(folder, "tokens.json")
	file := jwtclient.TokenFile(path)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	// An attacker or a crash may have left such a file.
	if err := os.WriteFile(path+".new", []byte("left"), 0o666); err != nil {
		t.Fatal(err)
	}
	put(t, file, jwtclient.Tokens{Access: "a"})
	for _, path := range []string{path, path + ".lock"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: got mode %v, %v; want 0600", path, info.Mode(), err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := look(t, file); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("mode %o: got %v; want an error that names the file", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, file); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("folder for everyone: got %v; want an error that names it", err)
	}

	inner := filepath.Join(t.TempDir(), "new", "folder")
	put(t, jwtclient.TokenFile(filepath.Join(inner, "tokens.json")), jwtclient.Tokens{Access: "a"})
	if info, err := os.Stat(inner); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder that was missing: got mode %v, %v; want 0700", info.Mode(), err)
	}
}

// TestTokenFileRefuses checks that files which no TokenFile has written cause an
// error and are not changed.
func TestTokenFileRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "{}", "null", `[]`, "[core]\n", `{"access_token":"a","refresh_token":7}`, `{"refresh_token":"r"}`, `{"access_token":"a\nb"}`, strings.Repeat(" ", 1<<20) + `{"access_token":"a"}`} {
		path := filepath.Join(t.TempDir(), "tokens.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := newAPI(t)
		transport := newSignedOut(t, a, jwtclient.TokenFile(path))
		_, _, err := transport.Token(t.Context())
		if err == nil || errors.Is(err, jwtclient.ErrSignedOut) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: got %v; want an error that names the file", text, err)
		}
		if err := transport.SignIn(t.Context(), "alice", "wonderland"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: SignIn: got %v; want an error that names the file", text, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%.20q: got %.20q, %v; want it unchanged", text, got, err)
		}
	}
	folder := t.TempDir()
	for _, path := range []string{folder, filepath.Join(folder, "a\x00b")} {
		if _, err := look(t, jwtclient.TokenFile(path)); err == nil {
			t.Errorf("%q: got no error; want one", path)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, jwtclient.TokenFile(filepath.Join(folder, "file", "tokens.json"))); err == nil || !strings.Contains(err.Error(), "mkdir") {
		t.Errorf("a file in place of the folder: got %v; want the error of mkdir", err)
	}
}

// TestTokenFileEmpty checks that an empty path is an error, and that nothing is written.
func TestTokenFileEmpty(t *testing.T) { //nolint:paralleltest // it changes the working folder
	t.Chdir(t.TempDir())
	if _, err := look(t, jwtclient.TokenFile("")); err == nil || !strings.Contains(err.Error(), "TokenFile is empty") {
		t.Errorf("got %v; want an error that says so", err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("got %d files, %v; want none", len(entries), err)
	}
}

// TestTokenFileFailures checks that a change that cannot be stored causes an error, leaves
// the stored tokens as they are, and leaves no other file.
func TestTokenFileFailures(t *testing.T) {
	t.Parallel()
	old, next := jwtclient.Tokens{Access: "old"}, jwtclient.Tokens{Access: "next"}
	blocked := func(path string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) }
	replaced := func(path string) error { return errors.Join(os.Remove(path), blocked(path)) }
	for _, row := range []struct {
		name  string
		next  jwtclient.Tokens
		spoil func(path string) error // during Update
		mend  func(path string) error // nil if the file is gone
		want  string                  // what failed
	}{
		{"a year that JSON cannot have", jwtclient.Tokens{Access: "next", Expires: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
			func(string) error { return nil }, func(string) error { return nil }, "json: "},
		{"the new file cannot be removed", next, func(path string) error { return blocked(path + ".new") }, func(path string) error { return os.RemoveAll(path + ".new") }, "remove "},
		{"the file cannot be replaced", next, replaced, nil, "rename "},
		{"the file cannot be removed", jwtclient.Tokens{}, replaced, nil, "remove "},
		{"the folder is gone", next, func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, nil, "open "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "app", "tokens.json")
			file := jwtclient.TokenFile(path)
			put(t, file, old)
			err := file.Update(t.Context(), func(jwtclient.Tokens) (jwtclient.Tokens, error) { return row.next, row.spoil(path) })
			if want := "jwtclient: TokenFile: " + row.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v; want %s", err, want)
			}
			if row.mend == nil {
				if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("got %v; want no other file", err)
				}
				return
			}
			if err := row.mend(path); err != nil {
				t.Fatal(err)
			}
			if got, err := look(t, file); got != old || err != nil {
				t.Errorf("got %v, %v; want the tokens from before", got, err)
			}
			if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("got %v; want no other file", err)
			}
		})
	}
}

// While the lock is held, Update waits until its context ends.
func TestTokenFileLock(t *testing.T) {
	t.Parallel()
	file := jwtclient.TokenFile(filepath.Join(t.TempDir(), "tokens.json"))
	synctest.Test(t, func(t *testing.T) {
		var done sync.WaitGroup
		done.Go(func() {
			_ = file.Update(t.Context(), func(jwtclient.Tokens) (jwtclient.Tokens, error) {
				time.Sleep(10 * time.Second)
				return jwtclient.Tokens{Access: "first"}, nil
			})
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		err := file.Update(ctx, func(jwtclient.Tokens) (jwtclient.Tokens, error) {
			t.Error("got a call without the lock; want none")
			return jwtclient.Tokens{}, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("got %v after %v; want a timeout after a second", err, time.Since(begun))
		}
		if got, err := look(t, file); got.Access != "first" || err != nil {
			t.Errorf("got %v, %v; want what the first has stored", got, err)
		}
		done.Wait()
	})
}

// TestTokenFileProcesses starts copies of this process, which increment a number in
// one file.
func TestTokenFileProcesses(t *testing.T) {
	t.Parallel()
	const processes, times = 4, 10
	if path := os.Getenv("TEST_TOKEN_FILE"); path != "" {
		for range times {
			err := jwtclient.TokenFile(path).Update(t.Context(), func(stored jwtclient.Tokens) (jwtclient.Tokens, error) {
				n, _ := strconv.Atoi(stored.Access)
				return jwtclient.Tokens{Access: strconv.Itoa(n + 1)}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	var all sync.WaitGroup
	for range processes {
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTokenFileProcesses$")
			cmd.Env = append(os.Environ(), "TEST_TOKEN_FILE="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	all.Wait()
	if got, err := look(t, jwtclient.TokenFile(path)); got.Access != strconv.Itoa(processes*times) || err != nil {
		t.Errorf("got %v, %v; want %d", got.Access, err, processes*times)
	}
}

// TestTokenFileSession checks that a program is still signed in when it is started
// again.
func TestTokenFileSession(t *testing.T) {
	t.Parallel()
	file := jwtclient.TokenFile(filepath.Join(t.TempDir(), "tokens.json"))
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		newTransport(t, a, file)
		for _, after := range []time.Duration{0, life - 15*time.Second, 10 * time.Second, life, time.Hour, 0} {
			time.Sleep(after)
			wantMe(t, newSignedOut(t, a, file)) // each is a new start of the program
		}
		a.wantCalls("/token", 1, "/refresh", 2, "/me", 6)
		if err := newSignedOut(t, a, file).SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.wantCalls("/logout", 1)
		wantSignedOut(t, newSignedOut(t, a, file))
	})
}
