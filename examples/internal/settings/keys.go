package settings

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jwtgate/jwtgate/core"
)

// keys returns the keys that JWT_ALG and JWT_KEY name, and whether they are
// fresh. What JWT_KEY says is never repeated: it may be a secret even where a
// path belongs.
func (e *environment) keys() (keys core.Keys, fresh bool) {
	alg, err := algorithmOf(e.text("JWT_ALG", "HS256"))
	if err != nil {
		e.wrong("JWT_ALG", "%v", err)
		return nil, false
	}
	value := e.get("JWT_KEY")
	switch {
	case value == "":
		keys, err = alg.freshKey()
		fresh = true
	case alg.symmetric():
		keys, err = alg.secret(value)
	default:
		keys, err = alg.files(value)
	}
	if err != nil {
		e.wrong("JWT_KEY", "%v", err)
	}
	return keys, fresh
}

func (a *algorithm) freshKey() (core.Keys, error) {
	key, err := a.generate()
	if err != nil {
		return nil, fmt.Errorf("no random key could be made: %w", err)
	}
	return a.key(key), nil
}

func (a *algorithm) secret(value string) (core.Keys, error) {
	if _, err := os.Stat(value); err == nil {
		return nil, fmt.Errorf("is the path of a file, but %s needs the secret itself: give that, or set JWT_ALG to the algorithm of the file", a.name)
	}
	return a.key([]byte(value)), nil
}

// files returns the key in the file at path, or those of the files in the folder
// at path, from the last name to the first: a core.KeySet signs by its first.
func (a *algorithm) files(path string) (core.Keys, error) {
	if strings.Contains(path, "-----BEGIN ") {
		return nil, errors.New("has the key itself: give the path of a PEM file with it")
	}
	names, err := namesIn(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w: give the path of a PEM file with a private key for %s, or of a folder of them", withoutPath(err), a.name)
	}
	var set core.KeySet
	for i, name := range names {
		data, err := os.ReadFile(filepath.Join(path, name)) //nolint:gosec // who sets the environment names the file
		if err != nil {
			return nil, fmt.Errorf("a key cannot be read: %w: let this user read the file", withoutPath(err))
		}
		if i == 0 && isPublic(data) {
			return nil, errors.New("has a public key where tokens are to be signed: give the private key")
		}
		set = append(set, a.key(data))
	}
	return set, nil
}

// namesIn returns the names of the files in the folder at path, the last first,
// and the empty name if path is a file itself.
func namesIn(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{""}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries { // in the order of their names
		if !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the folder has no file in it")
	}
	slices.Reverse(names)
	return names, nil
}

// withoutPath returns the cause of err, without the path that comes from JWT_KEY.
func withoutPath(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// isPublic reports whether the first key of a PEM file is a public one.
func isPublic(data []byte) bool {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, " KEY") {
			return strings.HasSuffix(block.Type, "PUBLIC KEY")
		}
	}
	return false
}
