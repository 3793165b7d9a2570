package jwtgatetest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// request returns the bytes of a request with lines as additional header lines.
func request(method, target, body string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n", method, target)
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

func get(target string, lines ...string) string { return request("GET", target, "", lines...) }

func post(target string, lines ...string) string { return request("POST", target, "", lines...) }

// exchange sends one request over a new connection, and returns all bytes that
// the server sends until it closes the connection.
func exchange(t *testing.T, addr, send string) []byte {
	t.Helper()
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatalf("send: %v", err)
	}
	raw, err := io.ReadAll(conn)
	if err != nil && len(raw) == 0 {
		t.Fatalf("receive: %v", err)
	}
	return raw
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

var errTrailing = errors.New("there are more bytes after the response")

// received is a response of the server.
type received struct {
	status int
	header http.Header
	body   string
	last   bool // the server closes the connection
}

// parse parses raw, which must be exactly one response to a request with method.
func parse(raw []byte, method string) (received, error) {
	reader := bufio.NewReader(bytes.NewReader(raw))
	got, err := receive(reader, method)
	if _, end := reader.Peek(1); err == nil && end == nil {
		err = errTrailing
	}
	return got, err
}

// receive reads one response to a request with method.
func receive(reader *bufio.Reader, method string) (received, error) {
	res, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return received{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return received{res.StatusCode, res.Header, string(body), res.Close}, err
}

// roundTrip sends one request over conn, and reads the response.
func roundTrip(conn io.Writer, reader *bufio.Reader, send string) (received, error) {
	if _, err := io.WriteString(conn, send); err != nil {
		return received{}, err
	}
	return receive(reader, "")
}
