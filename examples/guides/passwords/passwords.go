package main

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// params are those of the OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane. A
// check takes some tens of milliseconds. To change them, change this line: each user's
// hash is replaced at the next login.
var params = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// A userStore keeps the users. An application has a database in place of its map.
type userStore struct {
	// slots bounds the memory of concurrent checks. Others wait, or end with their
	// request.
	slots chan struct{}
	dummy string // the hash of a password that nobody knows

	mu     sync.Mutex
	hashes map[string]string
}

func newUserStore() (*userStore, error) {
	dummy, err := argon2id.CreateHash("a password that nobody has", &params)
	if err != nil {
		return nil, err
	}
	return &userStore{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), dummy: dummy, hashes: map[string]string{}}, nil
}

// check is a [jwtgate.PasswordCheck]. It takes as long for an unknown name as for a known
// one, so that the time does not say which names exist.
func (s *userStore) check(ctx context.Context, name, password string) (subject string, ok bool, err error) {
	s.mu.Lock()
	hash, known := s.hashes[name]
	s.mu.Unlock()
	if !known {
		hash = s.dummy
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
	matches, current, err := compare(password, hash)
	if err != nil {
		return "", false, err // the store has a broken hash: 503, and not "wrong password"
	}
	if !known || !matches {
		return "", false, nil
	}
	if !current {
		if err := s.replace(name, hash, password); err != nil {
			return "", false, err
		}
	}
	return name, true, nil
}

// compare reports whether hash is one of password, and whether it was made with params.
func compare(password, hash string) (matches, current bool, err error) {
	if strings.HasPrefix(hash, "$2") { // of an older version of the application
		err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return false, false, nil
		}
		return err == nil, false, err
	}
	matches, used, err := argon2id.CheckHash(password, hash)
	return matches, err == nil && *used == params, err
}

// setPassword gives a user a new password.
func (s *userStore) setPassword(name, password string) error {
	hash, err := argon2id.CreateHash(password, &params)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hashes[name] = hash
	return nil
}

// replace replaces a hash that was made with other parameters, unless the password has
// changed in the meantime.
func (s *userStore) replace(name, before, password string) error {
	hash, err := argon2id.CreateHash(password, &params)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hashes[name] == before {
		s.hashes[name] = hash
	}
	return nil
}

// find is the Subject function of a [jwtgate.SessionConfig].
func (s *userStore) find(_ context.Context, name string) (jwtgate.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.hashes[name]; !known {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}
