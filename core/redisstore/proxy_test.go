package redisstore_test

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A proxy stands between a client and a server. It can delay or lose replies.
type proxy struct {
	addr   string
	server atomic.Pointer[string]
	lose   atomic.Int32           // how many replies to scripts to lose, with their connections
	lost   atomic.Pointer[func()] // called once, when the next reply is lost
	delay  atomic.Int64           // of each reply

	requests atomic.Int32         // how many there were
	hears    func(request []byte) // is called with each request; nil for nothing
}

func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &proxy{addr: listener.Addr().String()}
	p.server.Store(&server)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", *p.server.Load())
	if err != nil {
		return
	}
	defer server.Close()
	var losing atomic.Bool
	go func() {
		defer server.Close()
		request := make([]byte, 1<<16)
		for {
			n, err := client.Read(request)
			if err != nil {
				return
			}
			p.requests.Add(1)
			if p.hears != nil {
				p.hears(request[:n])
			}
			if bytes.Contains(request[:n], []byte("evalsha")) && p.lose.Add(-1) >= 0 {
				losing.Store(true)
			}
			if _, err := server.Write(request[:n]); err != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(writer(func(answer []byte) (int, error) {
		time.Sleep(time.Duration(p.delay.Load()))
		if losing.Load() {
			if lost := p.lost.Swap(nil); lost != nil {
				(*lost)()
			}
			return 0, io.ErrClosedPipe
		}
		return client.Write(answer)
	}), server)
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func (p *proxy) client(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: p.addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}
