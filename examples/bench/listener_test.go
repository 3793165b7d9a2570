package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// serveVariable makes a process of this program a server: its value names the
// contender.
const serveVariable = "JWTGATE_BENCH_SERVE"

// BenchmarkListener is a whole request over a real connection, to a server that
// is a process of its own with one processor. The client is one goroutine with
// several requests under way, so that it costs less than any server.
func BenchmarkListener(b *testing.B) {
	for _, c := range without(slices.Concat(contenders...), handOn, claimed) {
		b.Run(c.framework+"/"+c.name, func(b *testing.B) {
			address := start(b, c)
			request := fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
				address, keyOf("HS256").token(b, 0))
			var conns [32]net.Conn
			for i := range conns {
				conns[i] = must(net.Dial("tcp", address))
				defer conns[i].Close()
				must(conns[i].Write(request))
			}
			buffer := make([]byte, 4096)
			for i := 0; b.Loop(); i++ {
				conn := conns[i%len(conns)]
				if err := receive(conn, buffer); err != nil {
					b.Fatal(err)
				}
				must(conn.Write(request))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// receive reads an answer, which has no body.
func receive(conn net.Conn, buffer []byte) error {
	n := 0
	for !bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n")) {
		more, err := conn.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += more
	}
	if !bytes.HasPrefix(buffer, []byte("HTTP/1.1 204 ")) {
		return fmt.Errorf("got %s", buffer[:n])
	}
	return nil
}

// start runs a server for c until the benchmark is over, and returns its address.
func start(b *testing.B, c contender) string {
	b.Helper()
	server := exec.Command(must(os.Executable()), "-test.run=^$")
	server.Env = append(os.Environ(), serveVariable+"="+c.framework+"/"+c.name, "GOMAXPROCS=1")
	server.Stderr = os.Stderr
	stdin := must(server.StdinPipe())
	stdout := must(server.StdoutPipe())
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close() // which is its sign to go
		server.Wait() //nolint:errcheck // it is gone
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatalf("the server did not start: %v", err)
	}
	return strings.TrimSpace(address)
}

// TestMain is also the main of the servers that start runs.
func TestMain(m *testing.M) {
	name, isServer := os.LookupEnv(serveVariable)
	if !isServer {
		os.Exit(m.Run())
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // the end of it is what counts
		os.Exit(0)
	}()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println(l.Addr())
	for _, c := range slices.Concat(contenders...) {
		if c.framework+"/"+c.name == name {
			panic(c.open(hmacKey()).serve(l))
		}
	}
	panic("no such contender: " + name)
}
