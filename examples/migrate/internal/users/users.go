// Package users has the users of the applications in examples/migrate.
package users

import "crypto/subtle"

// A User is a user of the applications.
type User struct {
	ID    int
	Name  string
	Admin bool
}

// Role returns "admin" or "user".
func (u User) Role() string {
	if u.Admin {
		return "admin"
	}
	return "user"
}

// Password is the password of every user. A server compares with a password hash.
const Password = "wonderland"

// Check returns the user with this name and password, and false if there is none.
func Check(name, password string) (User, bool) {
	user, known := Find(name)
	return user, known && subtle.ConstantTimeCompare([]byte(password), []byte(Password)) == 1
}

// Find returns the user with this name, and false if there is none.
func Find(name string) (User, bool) {
	for _, user := range []User{{ID: 123, Name: "alice", Admin: true}, {ID: 456, Name: "bob"}} {
		if user.Name == name {
			return user, true
		}
	}
	return User{}, false
}
