// Package users contains the demo users, with hashes of their passwords.
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

// The hashes come from bcrypt.GenerateFromPassword with bcrypt.DefaultCost.
var users = map[string]user{
	"alice": {"$2a$10$ReHQpUv6EyVue/ymFf2Uo.fRoez7jLSyHZcAoDY0zSESKsH7o0QYe", []string{"admin", "user"}},
	"bob":   {"$2a$10$MMMW4MyxMCUyL/CC0PvD8.UFdHj5JXYlxvXQuWfr9mfECD0FoCMOy", []string{"user"}},
}

// nobody replaces an unknown user in Check, so that the response time does not
// reveal which names exist. Nobody knows its password, which was random.
var nobody = user{hash: "$2a$10$MEOf/shUeiRSzz3G4yZ.oeV5ge2bKxy0QMLWLOE.vyuGrEkbeOKLK"}

// Check is a [jwtgate.PasswordCheck]. The subject of a user's tokens is its name.
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

// Find returns the current roles of the user called name. It is the Subject
// function of a [jwtgate.SessionConfig], called at every login and every refresh.
func Find(_ context.Context, name string) (jwtgate.Grant, error) {
	u, known := users[name]
	if !known {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: u.roles}, nil
}

// hashable reports whether bcrypt can distinguish password from all others: it
// ignores bytes after the first 72, and treats "x" and "x\x00x" as equal.
func hashable(password string) bool {
	return len(password) <= 72 && !strings.Contains(password, "\x00")
}
