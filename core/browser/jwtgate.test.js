// Tests of jwtgate.js on Node, with functions in place of a server. The Go tests in the
// folder examples run these tests, and others with real browsers, tabs and servers.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Session, SignInError } from "./jwtgate.js";

const origin = "https://app.example";
const life = 900; // the life of an access token in seconds
const hour = 3600 * 1000;

let server; // by path, the next answer: a Response, an error to throw, or a function that returns either
let log; // the requests so far: path and token of each
let issued; // the number of token pairs issued
let now; // the current time in milliseconds
let timers; // the pending calls of setTimeout, with their times

beforeEach(() => {
  mock.restoreAll();
  now = 1e12;
  timers = [];
  mock.method(Date, "now", () => now);
  mock.method(globalThis, "setTimeout", (call, delay) => { timers.push({ call, at: now + delay }); });
  delete globalThis.addEventListener;
  setLocks(undefined);
  server = {};
  log = [];
  issued = 0;
  mock.method(globalThis, "fetch", async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const { origin: from, pathname } = new URL(request.url);
    const path = from === origin ? pathname : request.url;
    const entry = { path, token: request.headers.get("Authorization")?.replace("Bearer ", "") };
    log.push(entry);
    const body = await request.text();
    entry.token ??= new URLSearchParams(body).get("refresh_token");
    const next = Array.isArray(server[path]) ? server[path].shift() : server[path];
    const answer = typeof next === "function" ? await next(request, body) : next;
    if (answer instanceof Error) throw answer;
    return answer ?? usual[path]?.() ?? new Response("fine");
  });
});

const usual = { "/token": tokens, "/refresh": tokens, "/logout": () => new Response(null, { status: 204 }) };

function tokens() {
  issued++;
  return Response.json({ access_token: "a" + issued, refresh_token: "r" + issued, expires_in: life });
}

function refusal(status, code, challenge, more) {
  const headers = { "Content-Type": "application/problem+json", ...challenge && { "WWW-Authenticate": challenge } };
  return new Response(JSON.stringify({ status, code, ...more }), { status, headers });
}

const expired = () => refusal(401, "token_expired", 'Bearer error="invalid_token"');
const over = () => refusal(401, "refresh_revoked", 'Bearer error="invalid_token"', { error: "invalid_grant" });
const lost = () => new TypeError("fetch failed");

// pass advances the clock and runs the timers that are due.
function pass(milliseconds) {
  now += milliseconds;
  const due = timers.filter(({ at }) => at <= now);
  timers = timers.filter(({ at }) => at > now);
  for (const { call } of due) call();
}

// asked returns the requests since its last call.
const asked = () => log.splice(0).map(({ path, token }) => token ? `${path} ${token}` : path);

// settled waits until all promises have settled that do not wait for the test.
async function settled() {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
}

// signedIn returns a session with the tokens a1 and r1. It records the session's events.
async function signedIn(options) {
  const session = new Session({ origin, ...options });
  session.events = [];
  for (const type of ["renewed", "login-required"]) session.addEventListener(type, () => session.events.push(type));
  assert.equal((await session.signIn("alice", "wonderland")).status, 200);
  asked();
  return session;
}

// shared returns a storage. Sessions that use the same storage behave like tabs.
function shared() {
  const items = new Map();
  return {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => { items.set(key, value); },
    removeItem: key => { items.delete(key); },
  };
}

function setLocks(locks) {
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
}

function gate() {
  let open;
  const opened = new Promise(resolve => { open = resolve; });
  return { open, opened };
}

for (const [about, answer, again] of [
  ["expired", () => refusal(401, "token_expired", 'Bearer error="invalid_token"'), true],
  ["expired, with a realm", () => refusal(401, "", 'Bearer realm="a, b", error="invalid_token"'), true],
  ["expired, among other schemes", () => refusal(401, "", 'Basic realm="a", bearer error=invalid_token'), true],
  ["expired, challenge hidden by CORS", () => refusal(401, "token_expired"), true],
  ["signed with a removed key, challenge hidden", () => refusal(401, "token_invalid"), true],
  ["revoked, challenge hidden", () => refusal(401, "token_revoked"), true],
  ["no token", () => refusal(401, "token_missing", "Bearer"), false],
  ["no token, challenge hidden", () => refusal(401, "token_missing"), false],
  ["the login is too old", () => refusal(401, "login_too_old", 'Bearer error="insufficient_user_authentication", max_age=300'), false],
  ["the login is too old, challenge hidden", () => refusal(401, "login_too_old"), false],
  ["a token of another kind", () => refusal(401, "token_expired", 'DPoP error="invalid_token"'), false],
  ["another scheme", () => refusal(401, "token_expired", 'Basic realm="a"'), false],
  ["not a problem document", () => new Response("<html>", { status: 401 }), false],
  ["forbidden", () => refusal(403, "insufficient_scope", 'Bearer error="insufficient_scope"'), false],
  ["forbidden, mislabelled", () => refusal(403, "token_expired", 'Bearer error="invalid_token"'), false],
  ["unavailable", () => refusal(503, "unavailable"), false],
]) {
  test(`a refused request: ${about}`, async () => {
    const session = await signedIn();
    server["/me"] = [answer()];
    const response = await session.fetch(origin + "/me");
    assert.equal(response.status, again ? 200 : answer().status);
    assert.equal(await response.text(), again ? "fine" : await answer().text()); // the body is still readable
    assert.deepEqual(asked(), again ? ["/me a1", "/refresh r1", "/me a2"] : ["/me a1"]);
    assert.deepEqual(session.events, again ? ["renewed"] : []);
    assert(session.signedIn);
  });
}

test("the body of the refused answer is cancelled, to free its connection", async () => {
  const session = await signedIn();
  const cancel = mock.fn(() => { throw new Error("broken off"); }); // must not reach the caller
  server["/me"] = [() => new Response(new ReadableStream({ cancel }), expired())];
  await session.fetch(origin + "/me");
  await settled();
  assert.equal(cancel.mock.callCount(), 1);
});

test("a request that is refused again is not sent a third time", async () => {
  const session = await signedIn();
  server["/me"] = expired;
  assert.equal((await session.fetch(origin + "/me")).status, 401);
  assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2"]);
});

for (const [about, answers, outcome] of [
  ["new tokens", [tokens], "renewed"],
  ["lost, then new tokens", [lost, tokens], "renewed"],
  ["cut short, then new tokens", [() => new Response('{"access_'), tokens], "renewed"],
  ["no successor", [() => Response.json({ access_token: "a2", expires_in: life })], "renewed"],
  ["session over", [over], "login-required"],
  ["session over, as in RFC 6749", [() => Response.json({ error: "invalid_grant" }, { status: 400 })], "login-required"],
  ["lost, then session over", [lost, over], "login-required"],
  ["offline", [lost, lost], "kept"],
  ["unavailable", [() => refusal(503, "unavailable")], "kept"],
  ["stale", [() => refusal(401, "refresh_stale", 'Bearer error="invalid_token"', { error: "invalid_grant" })], "kept"],
  ["bad gateway", [() => new Response("<html>", { status: 502 }), () => new Response("<html>", { status: 502 })], "kept"],
  ["busy", [() => refusal(503, "unavailable", "", { detail: "later" })], "kept"],
  ["stale", [() => refusal(401, "refresh_stale", 'Bearer error="invalid_token"', { error: "invalid_grant" })], "kept"],
  ["throttled", [() => refusal(429, "throttled")], "kept"],
  ["a captive portal", [() => new Response("<html>"), () => new Response("<html>")], "kept"],
  ["a body without tokens", [() => Response.json({})], "kept"],
  ["tokens in an error", [() => Response.json({ access_token: "a2", refresh_token: "r2" }, { status: 500 })], "kept"],
  ["null", [() => Response.json(null)], "kept"],
  ["a malformed request", [() => refusal(400, "malformed_request", "", { error: "invalid_request" })], "kept"],
  ["a client that is refused", [() => refusal(401, "", "", { error: "invalid_client" })], "kept"],
  ["a refusal without an error code", [() => new Response("{}", { status: 401 })], "kept"],
]) {
  test(`a refresh: ${about}`, async () => {
    const session = await signedIn();
    server["/me"] = [expired];
    server["/refresh"] = [...answers];
    const response = await session.fetch(origin + "/me");
    const refreshes = answers.map(() => "/refresh r1");
    assert.equal(response.status, outcome === "renewed" ? 200 : 401);
    assert.deepEqual(asked(), ["/me a1", ...refreshes, ...outcome === "renewed" ? ["/me a2"] : []]);
    assert.deepEqual(session.events, outcome === "kept" ? [] : [outcome]);
    assert.equal(session.signedIn, outcome !== "login-required");
    if (outcome !== "kept") return;

    server["/me"] = [expired, expired];
    await session.fetch(origin + "/me");
    assert.deepEqual(asked(), ["/me a1"]); // no refresh during the pause after a failure
    pass(1000);
    assert.equal((await session.fetch(origin + "/me")).status, 200);
    assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2"]);
  });
}

test("a refresh without a new refresh token keeps the old one", async () => {
  const session = await signedIn();
  server["/refresh"] = [() => Response.json({ access_token: "b1" }), () => Response.json({ access_token: "b2" })];
  server["/me"] = [expired, undefined, expired];
  await session.fetch(origin + "/me");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me b1", "/me b1", "/refresh r1", "/me b2"]);
});

for (const [about, expiresIn, later, want] of [
  ["new", life, 0, ["/me a1", "/me a1"]],
  ["before nine tenths of its life", life, 800 * 1000, ["/me a1", "/me a1"]],
  ["after nine tenths of its life", life, 820 * 1000, ["/refresh r1", "/me a1", "/me a2"]],
  ["after its life, as after a suspend", life, 10 * hour, ["/refresh r1", "/me a2", "/me a2"]],
  ["after the clock was set back", life, -hour, ["/refresh r1", "/me a2", "/me a2"]],
  ["with an unknown life", undefined, 10 * hour, ["/me a1", "/me a1"]],
  ["with the life null", null, 10 * hour, ["/me a1", "/me a1"]],
  ["with a life below zero", -1, 10 * hour, ["/me a1", "/me a1"]],
]) {
  test(`the age of a token: ${about}`, async () => {
    server["/token"] = [() => Response.json({ access_token: "a1", refresh_token: "r1", expires_in: expiresIn })];
    const session = await signedIn();
    issued = 1;
    pass(later);
    await session.fetch(origin + "/me");
    await settled();
    await session.fetch(origin + "/me");
    assert.deepEqual(asked(), want);
  });
}

test("requests do not wait for a refresh while the old token is valid", async () => {
  const session = await signedIn();
  const { open, opened } = gate();
  pass(820 * 1000);
  server["/refresh"] = [() => opened.then(tokens)];
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  open();
  await settled();
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  assert.deepEqual(asked(), ["/refresh r1", "/me a1", "/me a2"]);
});

test("if an early refresh finds that the session has ended, it ends at once", async () => {
  const session = await signedIn();
  pass(820 * 1000);
  server["/refresh"] = [over];
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  await settled();
  assert.deepEqual(session.events, ["login-required"]);
});

test("after the session has ended, requests have no token", async () => {
  const session = await signedIn();
  pass(hour);
  server["/refresh"] = [over];
  await session.fetch(origin + "/me");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/refresh r1", "/me", "/me"]);
  assert.deepEqual(session.events, ["login-required"]);
});

for (const [about, answer, want, events] of [
  ["it succeeds", undefined, 200, ["renewed"]],
  ["the session has ended", over, 401, ["login-required"]],
  ["the server is unavailable", () => refusal(503, "unavailable"), 401, []],
]) {
  test(`fifty concurrent requests share one refresh: ${about}`, async () => {
    const session = await signedIn();
    server["/refresh"] = answer;
    server["/me"] = async request => {
      await settled();
      return request.headers.get("Authorization") === "Bearer a1" ? expired() : undefined;
    };
    const responses = await Promise.all(Array.from({ length: 50 }, () => session.fetch(origin + "/me")));
    assert(responses.every(({ status }) => status === want));
    assert.equal(asked().filter(line => line.startsWith("/refresh")).length, 1);
    assert.deepEqual(session.events, events);
  });
}

test("a late 401 does not cause a refresh if the token was renewed in the meantime", async () => {
  const session = await signedIn();
  const { open, opened } = gate();
  server["/slow"] = [() => opened.then(expired)];
  server["/me"] = [expired];
  const slow = session.fetch(origin + "/slow");
  await session.fetch(origin + "/me");
  open();
  assert.equal((await slow).status, 200);
  assert.deepEqual(asked(), ["/slow a1", "/me a1", "/refresh r1", "/me a2", "/slow a2"]);
});

for (const [about, call] of [
  ["in init", (session, signal) => session.fetch(origin + "/me", { signal })],
  ["in a Request", (session, signal) => session.fetch(new Request(origin + "/me", { signal }))],
]) {
  test(`a caller's signal ${about} aborts only the caller's own request`, async () => {
    const session = await signedIn();
    const { open, opened } = gate();
    server["/refresh"] = [() => opened.then(tokens)];
    server["/me"] = [expired, expired];
    const controller = new AbortController();
    const aborted = call(session, controller.signal);
    const patient = session.fetch(origin + "/me");
    await settled();
    controller.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    open();
    assert.equal((await patient).status, 200);
    assert.deepEqual(asked(), ["/me a1", "/me a1", "/refresh r1", "/me a2"]);
  });
}

test("the listener on a caller's signal is removed", async () => {
  const session = await signedIn();
  const { signal } = new AbortController();
  const remove = mock.method(signal, "removeEventListener");
  server["/me"] = [expired];
  await session.fetch(origin + "/me", { signal });
  await settled();
  assert.equal(remove.mock.callCount(), 1);
});

for (const [about, later, answer] of [
  ["before the request is sent", hour, () => {}],
  ["as the request is refused", 0, controller => { controller.abort(new Error("enough")); return expired(); }],
]) {
  test(`a caller that aborts ${about} does not wait for the refresh`, async () => {
    const session = await signedIn();
    const controller = new AbortController();
    pass(later);
    server["/me"] = [() => answer(controller)];
    server["/refresh"] = [() => new Promise(() => {})];
    const gone = assert.rejects(session.fetch(origin + "/me", { signal: controller.signal }), /enough/);
    await settled();
    controller.abort(new Error("enough"));
    await gone;
    assert.deepEqual(asked().filter(line => line !== "/me a1"), ["/refresh r1"]);
  });
}

test("a request whose signal is already aborted sends nothing", async () => {
  const session = await signedIn();
  pass(hour);
  await assert.rejects(session.fetch(origin + "/me", { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
  assert.deepEqual(asked(), []);
});

for (const [about, input, init, want] of [
  ["a string", origin + "/me", {}, "/me a1"],
  ["a URL", new URL(origin + "/me"), {}, "/me a1"],
  ["a Request", new Request(origin + "/me"), {}, "/me a1"],
  ["the origin by its default port", origin + ":443/me", {}, "/me a1"],
  ["another host", "https://other.example/me", {}, "https://other.example/me"],
  ["another host by a Request", new Request("https://other.example/me"), {}, "https://other.example/me"],
  ["a host with the same beginning", origin + ".evil.example/me", {}, origin + ".evil.example/me"],
  ["a host as a user name", "https://app.example@evil.example/me", {}, TypeError],
  ["another port", origin + ":8443/me", {}, origin + ":8443/me"],
  ["another scheme", "http://app.example/me", {}, "http://app.example/me"],
  ["an Authorization header of the caller", origin + "/me", { headers: { authorization: "mine" } }, "/me mine"],
  ["an Authorization header of the caller in a Request", new Request(origin + "/me", { headers: { Authorization: "mine" } }), {}, "/me mine"],
]) {
  test(`which requests get the token: ${about}`, async () => {
    const session = await signedIn();
    if (want === TypeError) {
      await assert.rejects(session.fetch(input, init), TypeError);
      return;
    }
    await session.fetch(input, init);
    assert.deepEqual(asked(), [want]);
  });
}

for (const [about, input, init, want] of [
  ["a string", origin + "/notes", { method: "POST", body: "text" }, "text/plain;charset=UTF-8 text"],
  ["a form", origin + "/notes", { method: "POST", body: new URLSearchParams({ a: 1 }) }, "application/x-www-form-urlencoded;charset=UTF-8 a=1"],
  ["a blob", origin + "/notes", { method: "PUT", body: new Blob(["bytes"], { type: "image/png" }) }, "image/png bytes"],
  ["bytes with a type", origin + "/notes", { method: "POST", body: new Uint8Array([65]), headers: { "Content-Type": "a/b" } }, "a/b A"],
  ["a Request", new Request(origin + "/notes", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }), {}, "application/json {}"],
  ["a Request and its replacement", new Request(origin + "/notes", { method: "POST", body: "old" }), { body: "new", headers: [["Content-Type", "c/d"]] }, "c/d new"],
  ["nothing", origin + "/notes", { method: "DELETE" }, " "],
]) {
  test(`a body is sent again: ${about}`, async () => {
    const session = await signedIn();
    const bodies = [];
    const note = answer => (request, body) => {
      bodies.push(`${request.method} ${request.headers.get("Content-Type") ?? ""} ${body}`);
      return answer?.();
    };
    server["/notes"] = [note(expired), note()];
    assert.equal((await session.fetch(input, init)).status, 200);
    const method = init.method ?? input.method;
    assert.deepEqual(bodies, [`${method} ${want}`, `${method} ${want}`]);
  });
}

test("a stream is sent only once, but the token is renewed for the next request", async () => {
  const session = await signedIn();
  server["/notes"] = [expired];
  const body = new Blob(["bytes"]).stream();
  const response = await session.fetch(origin + "/notes", { method: "POST", body, duplex: "half" });
  assert.equal(response.status, 401);
  assert.equal((await response.json()).code, "token_expired");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/notes a1", "/refresh r1", "/me a2"]);
});

for (const [about, answers, want] of [
  ["only the second answer arrives", [() => new Promise(() => {}), tokens], "/me a2"],
  ["only the first answer arrives", [late => late.then(tokens), () => new Promise(() => {})], "/me a2"],
  ["the first fails, and the second arrives", [late => late.then(() => Promise.reject(lost())), late => late.then(tokens)], "/me a2"],
]) {
  test(`a late refresh is repeated once: ${about}`, async () => {
    const session = await signedIn({ patience: 500 });
    const { open, opened } = gate();
    server["/me"] = [expired];
    server["/refresh"] = answers.map(answer => () => answer(opened));
    const waiting = session.fetch(origin + "/me");
    await settled();
    pass(499);
    await settled();
    assert.deepEqual(asked(), ["/me a1", "/refresh r1"]);
    pass(1);
    await settled();
    open();
    assert.equal((await waiting).status, 200);
    assert.deepEqual(asked(), ["/refresh r1", want]);
    assert.deepEqual(session.events, ["renewed"]);
  });
}

test("a sign-in fails after the timeout", async () => {
  mock.method(AbortSignal, "timeout", () => AbortSignal.abort(new DOMException("too late", "TimeoutError")));
  const session = new Session({ origin });
  await assert.rejects(session.signIn("alice", "wonderland"), /too late/);
});

test("a full storage does not end the session", async () => {
  const storage = shared();
  const session = await signedIn({ storage });
  const setItem = mock.method(storage, "setItem", () => { throw new DOMException("full", "QuotaExceededError"); });
  server["/me"] = [expired, expired];
  assert.equal((await session.fetch(origin + "/me")).status, 401);
  setItem.mock.restore();
  pass(1000);
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a1", "/refresh r1", "/me a3"]);
});

test("requests to the endpoints send no cookies and follow no redirects", async () => {
  const session = await signedIn();
  server["/me"] = [expired];
  await session.fetch(origin + "/me");
  await session.signOut();
  const calls = globalThis.fetch.mock.calls.map(call => call.arguments).filter(([url]) => /\/(token|refresh|logout)$/.test(url));
  assert.equal(calls.length, 3);
  for (const [, init] of calls) {
    assert.equal(init.credentials, "omit");
    assert.equal(init.redirect, "error");
    assert(init.signal);
  }
  assert.deepEqual(calls.map(([, init]) => Boolean(init.keepalive)), [false, false, true]); // a page may close during its sign-out
});

test("the endpoints may have other URLs", async () => {
  server["/auth/token"] = tokens;
  server["https://auth.example/refresh"] = tokens;
  server["/me"] = [expired];
  const session = await signedIn({ tokenURL: "/auth/token", refreshURL: "https://auth.example/refresh", logoutURL: "out" });
  await session.fetch(origin + "/me");
  await session.signOut();
  assert.deepEqual(asked(), ["/me a1", "https://auth.example/refresh r1", "/me a2", "/out r2"]);
});

test("an origin may be written as a URL", async () => {
  const session = await signedIn({ origin: origin + ":443/" });
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a1"]);
});

test("the response of a sign-in can be read", async () => {
  const session = new Session({ origin });
  assert.equal((await (await session.signIn("alice", "wonderland")).json()).access_token, "a1");
});

test("a wrong password changes nothing", async () => {
  const session = await signedIn();
  server["/token"] = [() => refusal(401, "invalid_credentials", "Bearer", { error: "invalid_grant", detail: "wrong" })];
  const error = await session.signIn("alice", "builder").catch(error => error);
  assert(error instanceof SignInError);
  assert.equal(error.response.status, 401);
  assert.equal((await error.response.json()).detail, "wrong");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/token", "/me a1"]);
  assert.deepEqual(session.events, []);
});

test("fetch can be passed on", async () => {
  const { fetch } = await signedIn();
  await fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a1"]);
});

test("a session can be made where there is no location", async () => {
  assert.equal(globalThis.location, undefined);
  const session = new Session();
  assert.equal(session.signedIn, false);
  assert.equal(await (await session.fetch(origin + "/public")).text(), "fine");
  assert.deepEqual(asked(), ["/public"]);
  await assert.rejects(session.signIn("alice", "wonderland"), TypeError);
});

test("a sign-in ends the previous session", async () => {
  const session = await signedIn();
  await session.signIn("bob", "builder");
  await settled();
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/token", "/logout r1", "/me a2"]);
  assert.deepEqual(session.events, []);
});

test("a sign-out works without the server, and says whether the server confirmed it", async () => {
  for (const [answer, want] of [[undefined, true], [lost, false], [() => refusal(503, "unavailable"), false]]) {
    issued = 0;
    const session = await signedIn();
    server["/logout"] = answer && [answer];
    assert.equal(await session.signOut(), want);
    assert.equal(session.signedIn, false);
    assert.equal(await session.signOut(), true);
    await session.fetch(origin + "/me");
    assert.deepEqual(asked(), ["/logout r1", "/me"]);
    assert.deepEqual(session.events, []);
  }
});

for (const [about, answer, after, want, events] of [
  ["signs out", tokens, async session => { await session.signOut(); }, ["/logout r1", "/logout r2", "/public"], []],
  ["signs in again", tokens, async session => { await session.signIn("bob", "builder"); await settled(); }, ["/token", "/logout r1", "/logout r3", "/public a2"], []],
  ["signs in again, and the old session has ended", over, async session => { await session.signIn("bob", "builder"); await settled(); }, ["/token", "/logout r1", "/public a2"], []],
]) {
  test(`the answer to a refresh is ignored after the user ${about}`, async () => {
    const session = await signedIn();
    const { open, opened } = gate();
    server["/me"] = [expired];
    server["/refresh"] = [() => opened.then(answer)];
    const waiting = session.fetch(origin + "/me");
    await settled();
    assert.deepEqual(asked(), ["/me a1", "/refresh r1"]);
    await after(session);
    open();
    await waiting;
    await settled();
    await session.fetch(origin + "/public");
    assert.deepEqual(asked().filter(line => !line.startsWith("/me")), want);
    assert.deepEqual(session.events, events);
  });
}

test("a tab uses the tokens that another tab has renewed", async () => {
  const storage = shared();
  const one = await signedIn({ storage });
  const other = new Session({ origin, storage });
  server["/me"] = [expired];
  await other.fetch(origin + "/me");
  await one.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2", "/me a2"]);
});

for (const [about, answer] of [["new tokens", tokens], ["a refusal", over]]) {
  test(`a tab that gets ${about} late keeps the tokens of another tab`, async () => {
    const storage = shared();
    const one = await signedIn({ storage });
    const other = new Session({ origin, storage });
    const { open, opened } = gate();
    server["/me"] = [expired, expired];
    server["/refresh"] = [() => opened.then(answer), () => { issued = 7; return tokens(); }];
    const late = one.fetch(origin + "/me");
    await settled();
    await other.fetch(origin + "/me");
    open();
    assert.equal((await late).status, 200);
    await one.fetch(origin + "/me");
    assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a1", "/refresh r1", "/me a8", "/me a8", "/me a8"]);
    assert.deepEqual(one.events, []);
  });
}

test("a sign-out in another tab is reported once", async () => {
  const heard = [];
  globalThis.addEventListener = (type, listener) => type === "storage" && heard.push(listener);
  const listen = () => { for (const listener of heard) listener(); };
  const storage = shared();
  const one = await signedIn({ storage });
  const other = new Session({ origin, storage });
  const told = mock.fn();
  other.addEventListener("login-required", told);

  await one.signOut();
  listen();
  listen();
  assert.equal(told.mock.callCount(), 1);
  assert.deepEqual(one.events, []); // the tab that signed out gets no event

  await other.signIn("bob", "builder");
  listen();
  await other.signOut();
  listen();
  assert.deepEqual(one.events, ["login-required"]);
});

test("after a sign-in in another tab, no old request is sent again with the new token", async () => {
  const storage = shared();
  const one = await signedIn({ storage });
  const other = new Session({ origin, storage });
  const { open, opened } = gate();
  server["/notes"] = [() => opened.then(expired)];
  const late = one.fetch(origin + "/notes", { method: "POST", body: "by alice" });
  await settled();
  await other.signIn("bob", "builder");
  await settled();
  open();
  assert.equal((await late).status, 401);
  assert.deepEqual(one.events, ["login-required"]);
  assert.deepEqual(asked(), ["/notes a1", "/token", "/logout r1"]);
  await one.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a2"]);
  assert.deepEqual(one.events, ["login-required"]);
});

test("the next request notices that the tokens were removed", async () => {
  const storage = shared();
  const session = await signedIn({ storage });
  storage.removeItem("jwtgate"); // by the user: browsers dispatch no storage event then
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me"]);
  assert.deepEqual(session.events, ["login-required"]);
});

test("a tab checks the storage again when it gets the lock", async () => {
  const storage = shared();
  const { open, opened } = gate();
  const names = [];
  setLocks({ request: (name, _, call) => { names.push(name); return opened.then(call); } });
  const one = await signedIn({ storage, key: "mine" });
  server["/me"] = [expired];
  const waiting = one.fetch(origin + "/me");
  await settled();
  storage.setItem("mine", JSON.stringify({ ...JSON.parse(storage.getItem("mine")), access_token: "a7" }));
  open();
  assert.equal((await waiting).status, 200);
  assert.deepEqual(asked(), ["/me a1", "/me a7"]);
  assert.deepEqual(names, ["mine"]);
});

for (const [about, locks] of [
  ["is never free", { request: (_, { signal }) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))) }],
  ["is not allowed", { request: async () => { throw new DOMException("opaque origin", "SecurityError"); } }],
  ["does not exist", undefined],
]) {
  test(`a tab refreshes without the lock if it ${about}`, { timeout: 5000 }, async t => {
    setLocks(locks);
    const session = await signedIn({ storage: shared(), patience: 20 });
    server["/me"] = [expired];
    const keep = setInterval(() => {}, 5); // AbortSignal.timeout does not keep Node running
    t.after(() => clearInterval(keep));
    assert.equal((await session.fetch(origin + "/me")).status, 200);
    assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2"]);
  });
}

test("tokens in memory need no lock", async () => {
  const request = mock.fn((_, options, call) => call());
  setLocks({ request });
  const session = await signedIn();
  server["/me"] = [expired];
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  assert.equal(request.mock.callCount(), 0);
});

test("only a session in storage survives its page", async () => {
  const storage = shared();
  await signedIn({ storage });
  assert(new Session({ origin, storage }).signedIn);
  assert(!new Session({ origin, storage, key: "other" }).signedIn);
  assert(!new Session({ origin }).signedIn);
  storage.setItem("jwtgate", "{"); // written by another script or by hand
  assert(!new Session({ origin, storage }).signedIn);
});
