package examples

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestShutdown checks that a server answers a request that is in flight when its
// shutdown begins.
func TestShutdown(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret) {
		token := login(t, p, alice)
		host := strings.TrimPrefix(p.url, "http://")
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		const note = `{"text":"last"}`
		_, _ = fmt.Fprintf(conn, "POST /notes HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", host, token, len(note))
		answers := bufio.NewReader(conn)
		if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%s: %q, %v", p.name, line, err)
		}
		_, _ = answers.ReadString('\n')

		p.terminate()
		for refused := false; !refused; time.Sleep(5 * time.Millisecond) {
			other, err := net.Dial("tcp", host)
			if refused = err != nil; !refused {
				_ = other.Close()
			}
		}
		_, _ = io.WriteString(conn, note)
		res, err := http.ReadResponse(answers, nil)
		if err != nil || res.StatusCode != http.StatusCreated {
			t.Errorf("%s: %v, %v", p.name, res, err)
			continue
		}
		_ = res.Body.Close()
	}
}

// TestShutdownUnused checks that an unused connection does not prevent a graceful
// shutdown. Browsers open such connections in advance.
func TestShutdownUnused(t *testing.T) {
	t.Parallel()
	for _, p := range startAll(t, "JWT_KEY="+secret) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		time.Sleep(20 * time.Millisecond) // until the server has accepted the connection
		p.terminate()
		t.Cleanup(func() {
			if err := p.stop(); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
		})
	}
}
