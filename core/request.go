package jwtgate

import (
	"io"
	"net"
	"net/http"
	"net/netip"
)

// A Request is an HTTP request as an adapter passes it on. It need only be valid
// until the call that it is passed to returns: this package copies what it keeps. A
// function of the application that gets a Request, such as [Config.Refuse], must not
// use it or its Header after it has returned.
type Request struct {
	Method string
	Path   string // without the query
	Query  string // without the question mark, as it was sent
	Host   string // the Host header or :authority
	Header Header // nil has no fields

	// Peer is the address at the other end of the connection: the client's, or that
	// of a proxy in front of this server. Nil if it is not known. [Request.PeerAddr]
	// returns its IP address.
	Peer net.Addr

	// TLS says that this connection is encrypted. If a proxy in front of this server
	// terminates TLS, it is false although the client uses HTTPS. Package jwtgate
	// does not read X-Forwarded-Proto, because any client can send it.
	TLS bool

	Body io.Reader // read by endpoints only; nil is an empty body

	noRenewal bool          // set by Decide: the answer does not reach the browser
	call      *endpointCall // set by endpoints
}

// storesCookies reports whether the browser stores the cookies of the answer to r.
func (r *Request) storesCookies() bool { return !r.noRenewal && !r.opensChannel() }

// A Header is the header of a request, such as an [http.Header]. Its fields are read
// one by one when they are needed, which for most requests is one field.
type Header interface {
	// Values returns the value of each line of the field called name, in the order
	// of the lines, or nothing if there is no such field. The name is in the form of
	// [http.CanonicalHeaderKey]. The result must stay valid until the call that the
	// [Request] was passed to returns, also after further calls of Values. The caller
	// neither changes nor keeps it, and makes no concurrent calls.
	Values(name string) []string
}

// PeerAddr returns the IP address of r.Peer, IPv4 in its own form and without an IPv6
// zone, or the zero Addr if r.Peer is nil or has no IP address, like a Unix socket.
func (r *Request) PeerAddr() netip.Addr {
	var addr netip.Addr
	switch peer := r.Peer.(type) {
	case nil:
	case *net.TCPAddr:
		addr = peer.AddrPort().Addr()
	default:
		text := peer.String()
		if withPort, err := netip.ParseAddrPort(text); err == nil {
			addr = withPort.Addr()
		} else {
			addr, _ = netip.ParseAddr(text) // middleware may have removed the port
		}
	}
	return addr.Unmap().WithZone("")
}

// First returns the value of the first line of the header field called name, or ""
// if there is none. The case of name does not matter.
func (r *Request) First(name string) string {
	if lines := r.values(http.CanonicalHeaderKey(name)); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// values returns the value of each line of the header field called name.
func (r *Request) values(name string) []string {
	switch header := r.Header.(type) {
	case nil:
		return nil
	case http.Header:
		return header[name] // Values would check each letter of the name
	default:
		return header.Values(name)
	}
}
