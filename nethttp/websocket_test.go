package nethttp_test

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/nethttp"
)

// TestWebSocketUpgrade opens a WebSocket with a token among the subprotocols, as a page
// does, and checks the bytes of the answer and the connection behind it.
func TestWebSocketUpgrade(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.WebSocketProtocol = true })
	server := httptest.NewServer(nethttp.Protect(auth)(http.HandlerFunc(chat)))
	t.Cleanup(server.Close)
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The key and the answer to it are those of RFC 6455 §1.3.
	request := fmt.Sprintf("GET /chat HTTP/1.1\r\nHost: site.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: https://app.example\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, jwtgate.bearer.%s\r\n\r\n", token)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	// The last line is a text frame: 0x81, the length, "alice".
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n" + "\x81\x05alice"
	if string(got) != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

// chat accepts a WebSocket (RFC 6455 §4.2.2) with the subprotocol chat, sends the
// subject of the request, and closes the connection.
func chat(w http.ResponseWriter, r *http.Request) {
	protocol := ""
	for offered := range strings.SplitSeq(r.Header.Get("Sec-WebSocket-Protocol"), ",") {
		if offered = strings.TrimSpace(offered); offered == "chat" {
			protocol = offered
		}
	}
	id, _ := nethttp.Identity(r)
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = conn.Close() }()
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = buffer.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(accept[:]) + "\r\nSec-WebSocket-Protocol: " + protocol + "\r\n\r\n")
	_, _ = buffer.WriteString("\x81" + string(rune(len(id.Subject()))) + id.Subject())
	_ = buffer.Flush()
}
