package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// entryVersion is the version of the entries in announce.lua.
const entryVersion = "1"

// revocation returns the revocation in an entry of a stream. The error is for an entry
// that this version cannot read.
func revocation(entry map[string]any) (session.Revocation, error) {
	text := func(field string) string {
		value, _ := entry[field].(string)
		return value
	}
	if version := text("version"); version != entryVersion {
		return session.Revocation{}, fmt.Errorf("its version is %q, and this package knows version %s", version, entryVersion)
	}
	number := func(field string) (n int64, err error) {
		if n, err = strconv.ParseInt(text(field), 10, 64); err != nil {
			err = fmt.Errorf("it has no valid number in the field %s: %w", field, err)
		}
		return n, err
	}
	from, err := number("from")
	until, err2 := number("until")
	if err := errors.Join(err, err2); err != nil {
		return session.Revocation{}, err
	}
	r := session.Revocation{
		Token: text(kindToken), Issuer: text("issuer"), Subject: text(kindSubject), Renew: text("renew") == "1",
		From: time.UnixMilli(from), Until: time.UnixMilli(until),
	}
	name, isSession := entry[kindSession].(string)
	switch {
	case isSession:
		var known bool
		if r.Session, known = session.ParseID(name); !known {
			return session.Revocation{}, fmt.Errorf("it has no valid session ID in the field %s: %q", kindSession, name)
		}
	case r.Token == "" && r.Subject == "":
		return session.Revocation{}, errors.New("it names neither a session, a token nor a subject")
	}
	if text("generation") != "" {
		generation, err := strconv.ParseUint(text("generation"), 10, 32)
		if err != nil {
			return session.Revocation{}, fmt.Errorf("it has no valid number in the field generation: %w", err)
		}
		r.Generation = uint32(generation)
	}
	return r, nil
}

// passOver warns, once, that an entry of a stream cannot be read.
func (s *Store) passOver(ctx context.Context, stream, id string, err error) {
	s.unreadable.Do(func() {
		s.config.Logger.WarnContext(ctx, "redisstore: an entry in a stream of revocations cannot be read and is passed over, as are later ones without a warning: another version of jwtgate may have written it, whose revocations this process does not know", "stream", stream, "entry", id, "cause", err)
	})
}
