// Package server starts an example server and shuts it down gracefully.
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

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/settings"
)

// shutdownTimeout is how long a shutdown waits for requests in flight.
const shutdownTimeout = 10 * time.Second

// drainTime is how long the server goes on after it has turned unready, so that a load
// balancer can notice. With Kubernetes, it should be longer than periodSeconds times
// failureThreshold of the readiness probe.
const drainTime = time.Second

// maxBody is the maximum size of a request body in bytes.
const maxBody = 1 << 20

// Serve runs handler on a server of net/http, as Echo and Gin do.
func Serve(config settings.Settings, auth *jwtgate.Auth, handler http.Handler) error {
	srv := &http.Server{
		Handler:           http.MaxBytesHandler(handler, maxBody),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
	}
	return Run(config, auth, srv.Serve, srv.Shutdown)
}

// Run listens on config.Addr, prints commands to try, and calls serve. When the
// process receives SIGTERM, Run makes GET /readyz answer 503, waits for drainTime, calls
// shutdown and returns. SIGINT, from a terminal, does the same without the wait. At
// SIGHUP, Run reads the key files again.
func Run(config settings.Settings, auth *jwtgate.Auth, serve func(net.Listener) error, shutdown func(context.Context) error) error {
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return &settings.Problem{Variable: "ADDR", Reason: fmt.Sprintf("is %q, and listening there failed (%v): use host:port, with an address of this machine and a free port", config.Addr, err)}
	}
	if config.FreshKey {
		config.Auth.Logger.Warn("JWT_KEY is not set: this server signs with a new random key, and its tokens become invalid when it stops")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	running, end := context.WithCancel(context.Background())
	defer end()
	reloadKeys(running, config)
	if config.Metrics != nil {
		if err := config.Metrics.Serve(running, auth); err != nil {
			return &settings.Problem{Variable: "METRICS_ADDR", Reason: fmt.Sprintf("is %q, and listening there failed (%v): use host:port, with an address of this machine and a free port", config.MetricsAddr, err)}
		}
	}
	announce(listener.Addr())

	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	select {
	case err := <-served:
		return err
	case received := <-signals:
		signal.Reset(os.Interrupt, syscall.SIGTERM) // a second signal ends the process at once
		auth.Drain()
		if received == syscall.SIGTERM {
			time.Sleep(drainTime)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shutdown: %w", err)
	}
	return nil
}

// announce prints the address, the demo users and commands to try.
func announce(addr net.Addr) {
	fmt.Printf(`Serving on %[1]s
Users: alice / wonderland (roles admin, user) and bob / builder (role user). Try:
  TOKEN=$(curl -s %[1]s/token -d username=alice -d password=wonderland | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -i %[1]s/me -H "Authorization: Bearer $TOKEN"
  curl -i %[1]s/me

`, baseURL(addr))
}

// baseURL returns the URL of addr for clients on this machine.
func baseURL(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", tcp.Port)
	}
	return "http://" + addr.String()
}
