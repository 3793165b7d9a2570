package redisstore

import (
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

var errReply = errors.New("the server's reply is none of our scripts'")

// verdicts are those of [session.Step], by what the script calls them.
var verdicts = map[string]session.Verdict{
	"rotated":  session.Rotated,
	"repeated": session.Repeated,
	"reissued": session.Reissued,
	"healed":   session.Healed,
	"unknown":  session.Unknown,
	"expired":  session.Expired,
	"revoked":  session.Revoked,
	"invalid":  session.Invalid,
	"stolen":   session.Stolen,
}

// record returns the record that the scripts return as a row.
func record(row any) (session.Record, error) {
	id, ok := session.ParseID(text(row, 0))
	if !ok || len(text(row, 2)) != 32 || at(row, 9) == nil {
		return session.Record{}, errReply
	}
	return session.Record{
		ID:         id,
		Subject:    text(row, 1),
		NonceHash:  [32]byte([]byte(text(row, 2))),
		UserAgent:  text(row, 3),
		Generation: uint32(integer(row, 4)), //nolint:gosec // it was one
		Created:    moment(row, 5),
		Rotated:    moment(row, 6),
		Idle:       moment(row, 7),
		Limit:      moment(row, 8),
		Ended:      session.Reason(integer(row, 9)), //nolint:gosec // it was one
	}, nil
}

// ids returns the IDs that reply has, one after the other.
func ids(reply any) ([]session.ID, error) {
	all, ok := reply.(string)
	size := len(session.ID{}.String())
	if !ok || len(all)%size != 0 {
		return nil, errReply
	}
	var ids []session.ID
	for ; all != ""; all = all[size:] {
		id, ok := session.ParseID(all[:size])
		if !ok {
			return nil, errReply
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// at returns element i of reply, nil if there is none.
func at(reply any, i int) any {
	if list, ok := reply.([]any); ok && i < len(list) {
		return list[i]
	}
	return nil
}

func text(reply any, i int) string {
	s, _ := at(reply, i).(string)
	return s
}

func integer(reply any, i int) int64 {
	n, _ := at(reply, i).(int64)
	return n
}

// moment returns the time that is milliseconds since 1970 in reply, the zero time
// for 0.
func moment(reply any, i int) time.Time {
	n := integer(reply, i)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
