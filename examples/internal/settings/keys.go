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

	"github.com/jwtgate/jwtgate/core/keys"
)

// source returns the keys that JWT_ALG and JWT_KEY name. fresh reports whether the
// key is new and random. reload reads key files again; it is nil if no files are
// used. No error contains the value of JWT_KEY: it may be a secret, even if
// JWT_ALG calls for a path.
func (e *environment) source() (source keys.Source, fresh bool, reload func() error) {
	alg, err := algorithmOf(e.text("JWT_ALG", "HS256"))
	if err != nil {
		e.wrong("JWT_ALG", "%v", err)
		return nil, false, nil
	}
	value := e.get("JWT_KEY")
	switch {
	case value == "":
		source, err = alg.freshKey()
		fresh = true
	case alg.symmetric():
		source, err = alg.secret(value)
	default:
		source, reload, err = alg.ring(value)
	}
	if err != nil {
		e.wrong("JWT_KEY", "%v", err)
	}
	return source, fresh, reload
}

func (a *algorithm) freshKey() (keys.Source, error) {
	key, err := a.generate()
	if err != nil {
		return nil, fmt.Errorf("is not set, and generating a random key failed (%w): set it to a key", err)
	}
	return a.key(key), nil
}

func (a *algorithm) secret(value string) (keys.Source, error) {
	if _, err := os.Stat(value); err == nil {
		return nil, fmt.Errorf("is the path of a file, but %s needs the secret itself: set JWT_KEY to the secret, or set JWT_ALG to the algorithm of the key in the file", a.name)
	}
	return a.key([]byte(value)), nil
}

// ring returns the keys in the file or folder at path, and a function that reads
// them again. If that function fails, it leaves the keys unchanged.
func (a *algorithm) ring(path string) (keys.Source, func() error, error) {
	listed, err := a.files(path)
	if err != nil {
		return nil, nil, err
	}
	ring := keys.NewRing(listed...)
	return ring, func() error {
		listed, err := a.files(path)
		if err != nil {
			return err
		}
		return ring.Replace(listed...)
	}, nil
}

// files returns the key in the file at path, or the keys in the folder at path.
// The file whose name sorts last comes first, because a keys.Ring signs with its
// first key.
//
// Files whose names begin with a dot are ignored. To add a key safely, write the
// file under such a name and then rename it, so that files never reads half a key.
func (a *algorithm) files(path string) ([]keys.Key, error) {
	if strings.Contains(path, "-----BEGIN ") {
		return nil, errors.New("is a PEM key, but must be a path: write the key to a file and set JWT_KEY to the path of that file")
	}
	names, err := namesIn(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w): set it to the path of a PEM file with a private key for %s, or of a folder of such files", withoutPath(err), a.name)
	}
	var listed []keys.Key
	for i, name := range names {
		file := "the file"
		if name != "" {
			file = fmt.Sprintf("the file %q in the folder", name)
		}
		data, err := os.ReadFile(filepath.Join(path, name)) //nolint:gosec // the path comes from the environment
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read (%w): allow the user of this process to read it", file, withoutPath(err))
		}
		if i == 0 && isPublic(data) {
			return nil, fmt.Errorf("%s has a public key, which cannot sign tokens: use the private key", file)
		}
		key := a.key(data)
		// The ring would name only the position of a bad key in a folder.
		if err := keys.NewRing().Replace(key); err != nil && name != "" {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		listed = append(listed, key)
	}
	return listed, nil
}

// namesIn returns the names of the files in the folder at path, in descending
// order. If path is a file, it returns the empty name.
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
		return nil, errors.New("the folder has no files in it")
	}
	slices.Reverse(names)
	return names, nil
}

// withoutPath removes from err the path, which is the value of JWT_KEY.
func withoutPath(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// isPublic reports whether the first key of a PEM file is a public key.
func isPublic(data []byte) bool {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, " KEY") {
			return strings.HasSuffix(block.Type, "PUBLIC KEY")
		}
	}
	return false
}
