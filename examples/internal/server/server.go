// Package server runs an example server from its first line to a graceful end.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/settings"
)

// patience is how long requests may take to finish once the server is to stop.
const patience = 10 * time.Second

// maxBody is the longest body of a request that is read.
const maxBody = 1 << 20

// Serve runs handler on net/http, where Echo and Gin are at home too.
func Serve(config settings.Settings, handler http.Handler) error {
	srv := &http.Server{
		Handler:           http.MaxBytesHandler(handler, maxBody),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
	}
	return Run(config, srv.Serve, srv.Shutdown)
}

// Run listens where config says, prints what to try, and calls serve until the
// process is told to stop (SIGINT, SIGTERM). Then it calls shutdown. Keys from
// files are read again when it is told so (SIGHUP).
func Run(config settings.Settings, serve func(net.Listener) error, shutdown func(context.Context) error) error {
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return &settings.Problem{Variable: "ADDR", Reason: fmt.Sprintf("%v: use host:port, with an address of this machine and a port that is free", err)}
	}
	if config.FreshKey {
		config.Auth.Logger.Warn("JWT_KEY is not set: a fresh random key signs, and its tokens end with this process")
	}
	told, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	reloadKeys(told, config)
	announce(listener.Addr())

	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-told.Done():
	}
	stop() // a second signal ends the process at once
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shutdown: %w", err)
	}
	return nil
}

// announce prints the address, the demo users and what to try.
func announce(addr net.Addr) {
	fmt.Printf(`Serving on %[1]s
Users: alice / wonderland (roles admin, user) and bob / builder (role user). Try:
  TOKEN=$(curl -s %[1]s/token -d username=alice -d password=wonderland | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -i %[1]s/me -H "Authorization: Bearer $TOKEN"
  curl -i %[1]s/me

`, baseURL(addr))
}

// baseURL returns how a client on this machine reaches addr.
func baseURL(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", tcp.Port)
	}
	return "http://" + addr.String()
}
