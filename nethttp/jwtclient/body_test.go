package jwtclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A payload is the body of a request that counts the calls of Close.
type payload struct {
	io.Reader
	closed atomic.Int32
}

func (p *payload) Close() error {
	p.closed.Add(1)
	return nil
}

// TestBodies checks that every body is sent completely and closed exactly once.
func TestBodies(t *testing.T) {
	t.Parallel()
	broken := errors.New("no second body")
	for _, row := range []struct {
		name    string
		getBody bool
		getErr  error
		expired bool    // by its expiry time
		faults  []fault // during the renewal
		cancel  bool    // the context of the request
		status  int     // of the response; 0 if there is an error
		bodies  int     // how many were used
		next    bool    // whether the next request succeeds
	}{
		{"good token", true, nil, false, nil, false, 200, 1, true},
		{"good token, no GetBody", false, nil, false, nil, false, 200, 1, true},
		{"expired", true, nil, true, nil, false, 200, 1, true},
		{"expired, no GetBody", false, nil, true, nil, false, 200, 1, true},
		{"expired, cancelled", false, nil, true, nil, true, 0, 1, true},
		{"expired, renewal fails", false, nil, true, []fault{refused404}, false, 0, 1, false},
		{"refused", true, nil, false, nil, false, 200, 2, true},
		{"refused, no GetBody", false, nil, false, nil, false, 401, 1, true},
		{"refused, GetBody fails", true, broken, false, nil, false, 0, 1, true},
		{"refused, renewal fails", true, nil, false, []fault{refused404}, false, 0, 1, false},
		{"refused, no GetBody, renewal fails", false, nil, false, []fault{refused404}, false, 401, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				transport := newTransport(t, a, nil)
				a.faults = row.faults
				if row.expired {
					time.Sleep(life)
				}
				if strings.HasPrefix(row.name, "refused") { // as if the clock of the server were ahead
					a.refuse(token(t, transport))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.cancel {
					cancel()
				}
				var bodies []*payload
				fresh := func() io.ReadCloser {
					p := &payload{Reader: strings.NewReader("tea")}
					bodies = append(bodies, p)
					return p
				}
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, home+"/notes", fresh())
				if err != nil {
					t.Fatal(err)
				}
				if row.getBody {
					r.GetBody = func() (io.ReadCloser, error) {
						if row.getErr != nil {
							return nil, row.getErr
						}
						return fresh(), nil
					}
				}
				got, text, err := send(transport, r)
				if err != nil {
					if row.status != 0 || row.getErr != nil && !errors.Is(err, row.getErr) {
						t.Errorf("got %v; want %d", err, row.status)
					}
				} else if want := map[int]string{200: "tea", 401: "sorry"}[row.status]; got != row.status || text != want {
					t.Errorf("got %d %q; want %d %q", got, text, row.status, want)
				}
				if len(bodies) != row.bodies {
					t.Errorf("got %d bodies; want %d", len(bodies), row.bodies)
				}
				for i, p := range bodies {
					if n := p.closed.Load(); n != 1 {
						t.Errorf("body %d was closed %d times; want once", i+1, n)
					}
				}
				if got, err := do(t.Context(), transport, "POST", home+"/notes", "again"); (got == "200 again") != row.next {
					t.Errorf("the next request: got %q, %v; want it to work: %t", got, err, row.next)
				}
			})
		})
	}
}

// A request without a body is sent again without one, even if it has a GetBody.
func TestNoBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	transport := newTransport(t, a, nil)
	a.refuse(token(t, transport))
	r := httptest.NewRequest(http.MethodGet, home+"/me", nil)
	r.Body = nil
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("tea")), nil }
	if got, _, err := send(transport, r); got != 200 || err != nil {
		t.Errorf("got %d, %v; want 200", got, err)
	}
	if last := a.posted[len(a.posted)-1]; last != "" {
		t.Errorf("got the body %q; want none", last)
	}
}
