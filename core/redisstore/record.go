package redisstore

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

var errReply = errors.New("the reply of the server has a form that no script of this package returns: another program may have changed the keys")

// recordVersion is the version of the layout in layout.lua. The scripts refuse
// records of other versions.
const recordVersion = 1

// at returns element i of reply, or nil if reply is not a list or is too short.
func at(reply any, i int) any {
	if list, ok := reply.([]any); ok && i < len(list) {
		return list[i]
	}
	return nil
}

// record decodes a record, which has the layout in layout.lua.
func record(value any) (session.Record, error) {
	text, ok := value.(string)
	f := fields{text, ok}
	version, ended, flags := f.next(1)[0], f.next(1)[0], f.next(1)[0]
	r := session.Record{
		Ended:      session.Reason(ended),
		Late:       flags&1 != 0,
		LateBefore: flags&2 != 0,
		Generation: binary.BigEndian.Uint32([]byte(f.next(4))),
		Parent:     binary.BigEndian.Uint32([]byte(f.next(4))),
		Created:    f.moment(),
		Rotated:    f.moment(),
		Used:       f.moment(),
		Idle:       f.moment(),
		Limit:      f.moment(),
	}
	f.next(8 + 1 + 26) // forget, verdict (see verdictIn) and attempt
	id, known := session.ParseID(f.next(24))
	r.ID = id
	copy(r.NonceHash[:], f.next(32))
	r.Note = binary.BigEndian.Uint32([]byte(f.next(4)))
	r.Owner = session.Owner{Issuer: f.text(), Audience: f.text(), Subject: f.text()}
	r.UserAgent = f.text()
	if !f.ok || !known || version != recordVersion {
		return session.Record{}, errReply
	}
	return r, nil
}

// verdictIn returns the verdict of the last step that changed a record, or 0 if the value
// is too short to be one.
func verdictIn(value string) session.Verdict {
	const verdictAt = 59 // behind the fields that record decodes up to forget
	if len(value) <= verdictAt {
		return 0
	}
	return session.Verdict(value[verdictAt])
}

// fields decodes a value, field by field. After a field that is not complete,
// ok is false.
type fields struct {
	left string
	ok   bool
}

// next returns the next n bytes, or n zeros if there are fewer.
func (f *fields) next(n int) string {
	if len(f.left) < n {
		f.left, f.ok = "", false
		return string(make([]byte, n))
	}
	field := f.left[:n]
	f.left = f.left[n:]
	return field
}

// moment returns the next time. The number 0 is the zero time.
func (f *fields) moment() time.Time {
	milliseconds := int64(binary.BigEndian.Uint64([]byte(f.next(8)))) //nolint:gosec // the scripts write times after 1970
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

// text returns the next string, which has its length in front.
func (f *fields) text() string {
	n := uint64(binary.BigEndian.Uint32([]byte(f.next(4))))
	if n > uint64(len(f.left)) {
		n, f.ok = 0, false
	}
	return f.next(int(n))
}

// ids decodes concatenated session IDs.
func ids(text string) ([]session.ID, error) {
	f := fields{left: text}
	var ids []session.ID
	for len(f.left) > 0 {
		id, ok := session.ParseID(f.next(24))
		if !ok {
			return nil, errReply
		}
		ids = append(ids, id)
	}
	return ids, nil
}
