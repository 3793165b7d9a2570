package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"

	"github.com/jwtgate/jwtgate/nethttp"
)

func me(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	answer(w, map[string]string{"sub": id.Subject()})
}

var visits atomic.Int64

// visit changes something, so only pages of the application may send it.
func visit(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]int64{"visits": visits.Add(1)})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails if the client has disconnected
}
