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
	"testing"
	"time"
)

// serveVariable is an environment variable. If it is set, this program runs as
// the server of the contender that it names.
const serveVariable = "JWTGATE_BENCH_SERVE"

// BenchmarkListener measures requests over real connections to a server, which is
// a separate process with one processor. The client is one goroutine with several
// requests in flight, so that it uses less processor time than any server. Besides
// requests per second, it reports the server's processor time per request.
func BenchmarkListener(b *testing.B) {
	for _, c := range without(slices.Concat(contenders...), handOn, coldClaims, warmClaims) {
		b.Run(c.framework+"/"+c.name, func(b *testing.B) {
			server := start(b, c)
			request := fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
				server.address, keyOf("HS256").token(b, 0))
			var conns [32]net.Conn
			for i := range conns {
				conns[i] = must(net.Dial("tcp", server.address))
				defer conns[i].Close()
				must(conns[i].Write(request))
			}
			buffer := make([]byte, 4096)
			before := server.processorTime()
			for i := 0; b.Loop(); i++ {
				conn := conns[i%len(conns)]
				if err := receive(conn, buffer); err != nil {
					b.Fatal(err)
				}
				must(conn.Write(request))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			if used := server.processorTime() - before; used > 0 {
				b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
			}
		})
	}
}

// receive reads an answer without a body.
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

// A serverProcess is a server that runs until its benchmark ends.
type serverProcess struct {
	address string
	ask     io.Writer
	answers *bufio.Scanner
}

func start(b *testing.B, c contender) *serverProcess {
	b.Helper()
	command := exec.Command(must(os.Executable()), "-test.run=^$")
	command.Env = append(os.Environ(), serveVariable+"="+c.framework+"/"+c.name, "GOMAXPROCS=1")
	command.Stderr = os.Stderr
	stdin := must(command.StdinPipe())
	stdout := must(command.StdoutPipe())
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()  // makes the server exit
		command.Wait() //nolint:errcheck // the result of the server does not matter
	})
	server := &serverProcess{ask: stdin, answers: bufio.NewScanner(stdout)}
	if !server.answers.Scan() {
		b.Fatal("the server did not start")
	}
	server.address = server.answers.Text()
	return server
}

// processorTime returns the processor time that the server has used so far.
func (s *serverProcess) processorTime() time.Duration {
	must(fmt.Fprintln(s.ask))
	s.answers.Scan()
	return must(time.ParseDuration(s.answers.Text()))
}

// TestMain is also the main function of the servers that start runs.
func TestMain(m *testing.M) {
	name, isServer := os.LookupEnv(serveVariable)
	if !isServer {
		os.Exit(m.Run())
	}
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println(l.Addr())
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println(processorTime())
		}
		os.Exit(0)
	}()
	for _, c := range slices.Concat(contenders...) {
		if c.framework+"/"+c.name == name {
			panic(c.open(hmacKey()).serve(l))
		}
	}
	panic("no such contender: " + name)
}
