// Package users has the demo users. Only hashes of their passwords are kept.
package users

import (
	"context"
	"strings"

	"golang.org/x/crypto/bcrypt"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

type user struct {
	hash  string
	roles []string
}

// Made by bcrypt.GenerateFromPassword with bcrypt.DefaultCost.
var users = map[string]user{
	"alice": {"$2a$10$ReHQpUv6EyVue/ymFf2Uo.fRoez7jLSyHZcAoDY0zSESKsH7o0QYe", []string{"admin", "user"}},
	"bob":   {"$2a$10$MMMW4MyxMCUyL/CC0PvD8.UFdHj5JXYlxvXQuWfr9mfECD0FoCMOy", []string{"user"}},
}

// nobody stands in for names that are not known, so that the time an answer
// takes does not tell which are. Its password was random and is forgotten.
var nobody = user{hash: "$2a$10$MEOf/shUeiRSzz3G4yZ.oeV5ge2bKxy0QMLWLOE.vyuGrEkbeOKLK"}

// Check is a [jwtgate.PasswordCheck]. A user's name is the subject of its tokens.
func Check(_ context.Context, name, password string) (subject string, ok bool, err error) {
	u, known := users[name]
	if !known {
		u = nobody
	}
	if bcrypt.CompareHashAndPassword([]byte(u.hash), []byte(password)) != nil || !known || !hashable(password) {
		return "", false, nil
	}
	return name, true, nil
}

// Find says what the user called name may do now: it is the Subject of a
// [jwtgate.SessionConfig], asked at every login and every refresh.
func Find(_ context.Context, name string) (jwtgate.Grant, error) {
	u, known := users[name]
	if !known {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: u.roles}, nil
}

// hashable reports whether bcrypt tells password from all others: it looks at
// 72 bytes, and takes "x" and "x\x00x" for the same.
func hashable(password string) bool {
	return len(password) <= 72 && !strings.Contains(password, "\x00")
}
