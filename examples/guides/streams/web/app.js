// The streams of the page. The tokens are in HttpOnly cookies, which the browser sends with each handshake.

const $ = id => document.getElementById(id);
const state = window.state = { streams: 0, sockets: 0, signedIn: false }; // the test reads it
let pause; // milliseconds until the next try of the socket

function begin() {
  state.signedIn = true;
  pause = 250;
  listen();
  talk();
}

// Called by the stream and by the socket.
function over() {
  state.signedIn = false;
  $("time").textContent = "…";
}

// Server-sent events: after the end of a stream the browser connects again by itself, and the server renews the session.
function listen() {
  const events = new EventSource("/events");
  events.onopen = () => { state.streams++; };
  events.onmessage = ({ data }) => { $("time").textContent = data; };
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) over(); // the server has refused: 401
  };
}

// A WebSocket: the page connects again. The answer to a handshake cannot renew the session, so an ordinary request comes first.
function talk() {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/chat");
  socket.onopen = () => { state.sockets++; pause = 250; socket.send("hello"); };
  socket.onmessage = ({ data }) => { $("said").textContent = data; };
  socket.onclose = async ({ code }) => {
    if (code === 4001) return over();
    const me = await fetch("/me").catch(() => null); // null if there is no network
    if (me?.status === 401) return over();
    setTimeout(talk, pause);
    pause = Math.min(pause * 2, 30000);
  };
}

$("login").onsubmit = async event => {
  event.preventDefault();
  const response = await fetch("/login", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  if (response.ok) begin();
};
$("logout").onclick = () => fetch("/logout", { method: "POST" }); // the server ends the streams
if ((await fetch("/me")).ok) begin();
