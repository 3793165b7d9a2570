package sqlstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// recordVersion is the version of the meaning of the columns of a session. A
// process can read no rows of other versions, which a later version of this
// package may write while processes of both versions run.
const recordVersion = 1

var errVersion = errors.New("the row was written by a later version of package sqlstore: update this program")

// A row is a row of the table of sessions.
type row struct {
	session.Record

	revision int64 // counts the changes of the row
	due      int64 // when the removal looks at the row
}

// columns are the columns that scan reads, in this order.
const columns = `version, revision, id, issuer, audience, subject, nonce_hash, user_agent, note, generation, parent, late, ended,
	created_at, rotated_at, used_at, idle_at, limit_at, due_at`

// The bits of the column late.
const (
	lateBit = 1 << iota
	lateBeforeBit
)

// scan reads the next values as a row. It is given a Scan method, and further
// destinations for the values before the columns.
func scan(from func(...any) error, before ...any) (row, error) {
	var (
		r                                        row
		version                                  int
		id, nonceHash                            []byte
		late                                     int
		created, rotated, used, idle, limit, end int64
	)
	err := from(append(before, &version, &r.revision, &id, &r.Owner.Issuer, &r.Owner.Audience, &r.Owner.Subject, &nonceHash, &r.UserAgent, &r.Note,
		&r.Generation, &r.Parent, &late, &end, &created, &rotated, &used, &idle, &limit, &r.due)...)
	if err != nil {
		return row{}, err
	}
	if version != recordVersion {
		return row{}, fmt.Errorf("version %d of a session: %w", version, errVersion)
	}
	if len(id) != len(r.ID) || len(nonceHash) != len(r.NonceHash) || end < 0 || end > int64(session.Replayed) {
		return row{}, errors.New("a session has values that no version of package sqlstore writes: another program may have changed the row")
	}
	copy(r.ID[:], id)
	copy(r.NonceHash[:], nonceHash)
	r.Late, r.LateBefore = late&lateBit != 0, late&lateBeforeBit != 0
	r.Ended = session.Reason(end)
	r.Created, r.Rotated, r.Used = at(created), moment(rotated), moment(used)
	r.Idle, r.Limit = at(idle), at(limit)
	return r, nil
}

// forgotten reports whether the time to forget r has come.
func (r *row) forgotten(now time.Time) bool {
	if r.Ended == session.Live {
		return !r.LiveAt(now)
	}
	return !now.Before(at(r.due))
}

// lateBits returns the value of the column late.
func lateBits(r *session.Record) int {
	bits := 0
	if r.Late {
		bits |= lateBit
	}
	if r.LateBefore {
		bits |= lateBeforeBit
	}
	return bits
}

// An ownerKey is a hash of an owner, by which the sessions of the owner are found.
type ownerKey [sha256.Size]byte

func keyOf(o session.Owner) ownerKey {
	hash := sha256.New()
	for _, part := range [...]string{o.Issuer, o.Audience, o.Subject} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return ownerKey(hash.Sum(nil))
}

func at(milliseconds int64) time.Time { return time.UnixMilli(milliseconds) }

// moment is at, but 0 is the zero time.
func moment(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return at(milliseconds)
}

// milliseconds is the opposite of moment.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// bytes returns s as a parameter for a column of bytes. A nil slice would be NULL.
func bytes(s string) []byte { return append([]byte{}, s...) }
