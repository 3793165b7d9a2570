// Package websockets shows WebSockets in each framework: a chat with oneself that only
// users can open, and that ends with their session. The guard checks the handshake, which
// comes with the cookies of the page, or with a token (Config.WebSocketProtocol): the
// credentials, and that no other site has opened the socket in the name of the user. Then
// Auth.Watch watches what no guard can see, the end of the session.
package websockets
