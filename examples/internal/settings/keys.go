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

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// keys returns the keys that JWT_ALG and JWT_KEY name, and whether they are
// fresh. Those of files can be read again by reload, which is nil for others. What
// JWT_KEY says is never repeated: it may be a secret even where a path belongs.
func (e *environment) keys() (keys jwtgate.Keys, fresh bool, reload func() error) {
	alg, err := algorithmOf(e.text("JWT_ALG", "HS256"))
	if err != nil {
		e.wrong("JWT_ALG", "%v", err)
		return nil, false, nil
	}
	value := e.get("JWT_KEY")
	switch {
	case value == "":
		keys, err = alg.freshKey()
		fresh = true
	case alg.symmetric():
		keys, err = alg.secret(value)
	default:
		keys, reload, err = alg.ring(value)
	}
	if err != nil {
		e.wrong("JWT_KEY", "%v", err)
	}
	return keys, fresh, reload
}

func (a *algorithm) freshKey() (jwtgate.Keys, error) {
	key, err := a.generate()
	if err != nil {
		return nil, fmt.Errorf("no random key could be made: %w", err)
	}
	return a.key(key), nil
}

func (a *algorithm) secret(value string) (jwtgate.Keys, error) {
	if _, err := os.Stat(value); err == nil {
		return nil, fmt.Errorf("is the path of a file, but %s needs the secret itself: give that, or set JWT_ALG to the algorithm of the file", a.name)
	}
	return a.key([]byte(value)), nil
}

// ring returns the keys in the file or folder at path, and what reads them again:
// with an error, they stay as they are.
func (a *algorithm) ring(path string) (jwtgate.Keys, func() error, error) {
	keys, err := a.files(path)
	if err != nil {
		return nil, nil, err
	}
	ring := jwtgate.NewKeyRing(keys...)
	return ring, func() error {
		keys, err := a.files(path)
		if err != nil {
			return err
		}
		return ring.Replace(keys...)
	}, nil
}

// files returns the key in the file at path, or those of the files in the folder
// at path, from the last name to the first: a jwtgate.KeyRing signs by its first.
//
// A file must be whole when it is read: write it under a name that begins with a
// dot, which is passed over, and rename it then.
func (a *algorithm) files(path string) ([]jwtgate.Key, error) {
	if strings.Contains(path, "-----BEGIN ") {
		return nil, errors.New("has the key itself: give the path of a PEM file with it")
	}
	names, err := namesIn(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w: give the path of a PEM file with a private key for %s, or of a folder of them", withoutPath(err), a.name)
	}
	var keys []jwtgate.Key
	for i, name := range names {
		data, err := os.ReadFile(filepath.Join(path, name)) //nolint:gosec // who sets the environment names the file
		if err != nil {
			return nil, fmt.Errorf("a key cannot be read: %w: let this user read the file", withoutPath(err))
		}
		if i == 0 && isPublic(data) {
			return nil, errors.New("has a public key where tokens are to be signed: give the private key")
		}
		key := a.key(data)
		// The ring would name it by its place, and a folder has names.
		if err := jwtgate.NewKeyRing().Replace(key); err != nil && name != "" {
			return nil, fmt.Errorf("the file %q in it: %w", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
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
