// What jwtgate.js does in each case, on Node and with a server that is a function. The
// tests of the examples run this, and the real thing: browsers, tabs and servers.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Session } from "./jwtgate.js";

const origin = "https://app.example";
const life = 900; // seconds, of an access token
const hour = 3600 * 1000;

let server; // by path, what answers next: a Response, an error to throw, or a function that returns either
let log; // what was asked: the path and the token
let issued; // how many pairs of tokens
let now; // the time, in milliseconds
let timers; // what is to happen when

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

// pass lets time pass.
function pass(milliseconds) {
  now += milliseconds;
  const due = timers.filter(({ at }) => at <= now);
  timers = timers.filter(({ at }) => at > now);
  for (const { call } of due) call();
}

// asked returns what was asked since the last time.
const asked = () => log.splice(0).map(({ path, token }) => token ? `${path} ${token}` : path);

// settled waits until all has happened that waits for nothing outside.
async function settled() {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
}

// signedIn returns a session with the tokens a1 and r1, and what it dispatches.
async function signedIn(options) {
  const session = new Session({ origin, ...options });
  session.events = [];
  for (const type of ["renewed", "login-required"]) session.addEventListener(type, () => session.events.push(type));
  assert.equal((await session.signIn("alice", "wonderland")).status, 200);
  asked();
  return session;
}

// shared returns a storage for several sessions, which are then tabs.
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
  ["a key that is gone, challenge hidden", () => refusal(401, "token_invalid"), true],
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
    assert.equal(await response.text(), again ? "fine" : await answer().text()); // it can still be read
    assert.deepEqual(asked(), again ? ["/me a1", "/refresh r1", "/me a2"] : ["/me a1"]);
    assert.deepEqual(session.events, again ? ["renewed"] : []);
    assert(session.signedIn);
  });
}

test("the refused answer is not left to fill up a connection", async () => {
  const session = await signedIn();
  const cancel = mock.fn(() => { throw new Error("broken off"); }); // which nobody has to know
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
  ["session over, in the words of RFC 6749", [() => Response.json({ error: "invalid_grant" }, { status: 400 })], "login-required"],
  ["lost, then session over", [lost, over], "login-required"],
  ["offline", [lost, lost], "kept"],
  ["unavailable", [() => refusal(503, "unavailable")], "kept"],
  ["bad gateway", [() => new Response("<html>", { status: 502 }), () => new Response("<html>", { status: 502 })], "kept"],
  ["throttled", [() => refusal(429, "throttled")], "kept"],
  ["a captive portal", [() => new Response("<html>"), () => new Response("<html>")], "kept"],
  ["a body without tokens", [() => Response.json({})], "kept"],
  ["tokens in an error", [() => Response.json({ access_token: "a2", refresh_token: "r2" }, { status: 500 })], "kept"],
  ["null", [() => Response.json(null)], "kept"],
  ["our own mistake", [() => refusal(400, "malformed_request", "", { error: "invalid_request" })], "kept"],
  ["a client that is refused", [() => refusal(401, "", "", { error: "invalid_client" })], "kept"],
  ["someone else's refusal", [() => new Response("{}", { status: 401 })], "kept"],
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
    assert.deepEqual(asked(), ["/me a1"]); // after a failure, there is a pause
    pass(1000);
    assert.equal((await session.fetch(origin + "/me")).status, 200);
    assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2"]);
  });
}

test("without a successor, the refresh token stays", async () => {
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
  ["after them", life, 820 * 1000, ["/refresh r1", "/me a1", "/me a2"]],
  ["after its life, as after a suspend", life, 10 * hour, ["/refresh r1", "/me a2", "/me a2"]],
  ["after the clock was set back", life, -hour, ["/refresh r1", "/me a2", "/me a2"]],
  ["of a life unknown", undefined, 10 * hour, ["/me a1", "/me a1"]],
  ["of a life that is null", null, 10 * hour, ["/me a1", "/me a1"]],
  ["of a life below zero", -1, 10 * hour, ["/me a1", "/me a1"]],
]) {
  test(`a token that is ${about}`, async () => {
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

test("as long as a token is good, nobody waits for the next one", async () => {
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

test("a session that turns out to be over while its token is good is over at once", async () => {
  const session = await signedIn();
  pass(820 * 1000);
  server["/refresh"] = [over];
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  await settled();
  assert.deepEqual(session.events, ["login-required"]);
});

test("after the session is over, a request goes without a token", async () => {
  const session = await signedIn();
  pass(hour);
  server["/refresh"] = [over];
  await session.fetch(origin + "/me");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/refresh r1", "/me", "/me"]);
  assert.deepEqual(session.events, ["login-required"]);
});

for (const [about, answer, want, events] of [
  ["are served", undefined, 200, ["renewed"]],
  ["end together", over, 401, ["login-required"]],
  ["wait together", () => refusal(503, "unavailable"), 401, []],
]) {
  test(`fifty requests at once share one refresh, and ${about}`, async () => {
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

test("a 401 that is late does not refresh what was renewed meanwhile", async () => {
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
  test(`a caller's signal ${about} ends its own wait only`, async () => {
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

test("a signal of many requests is not held on to", async () => {
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
  test(`a caller that gives up ${about} does not wait either`, async () => {
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

test("a caller that has gone before does not start anything", async () => {
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
  ["a host that begins alike", origin + ".evil.example/me", {}, origin + ".evil.example/me"],
  ["a host as a user name", "https://app.example@evil.example/me", {}, TypeError],
  ["another port", origin + ":8443/me", {}, origin + ":8443/me"],
  ["another scheme", "http://app.example/me", {}, "http://app.example/me"],
  ["a token of the caller's", origin + "/me", { headers: { authorization: "mine" } }, "/me mine"],
  ["a token of the caller's in a Request", new Request(origin + "/me", { headers: { Authorization: "mine" } }), {}, "/me mine"],
]) {
  test(`who gets the token: ${about}`, async () => {
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
  test(`a body that is sent again: ${about}`, async () => {
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

test("a stream is sent once, and then the next request is ready", async () => {
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
  ["the second answer comes", [() => new Promise(() => {}), tokens], "/me a2"],
  ["the first answer comes after all", [late => late.then(tokens), () => new Promise(() => {})], "/me a2"],
  ["the first is lost after all, and the second comes", [late => late.then(() => Promise.reject(lost())), late => late.then(tokens)], "/me a2"],
]) {
  test(`a refresh that is late is asked for once more, and ${about}`, async () => {
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

test("a server that answers nothing is out of reach", async () => {
  mock.method(AbortSignal, "timeout", () => AbortSignal.abort(new DOMException("too late", "TimeoutError")));
  const session = new Session({ origin });
  await assert.rejects(session.signIn("alice", "wonderland"), /too late/);
});

test("a storage that is full ends nothing", async () => {
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

test("the endpoints are asked without cookies, and do not lead elsewhere", async () => {
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
  assert.deepEqual(calls.map(([, init]) => Boolean(init.keepalive)), [false, false, true]); // a page may sign out and close
});

test("endpoints may be elsewhere", async () => {
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

test("what came at sign-in can be read", async () => {
  const session = new Session({ origin });
  assert.equal((await (await session.signIn("alice", "wonderland")).json()).access_token, "a1");
});

test("a wrong password changes nothing", async () => {
  const session = await signedIn();
  server["/token"] = [() => refusal(401, "invalid_credentials", "Bearer", { error: "invalid_grant", detail: "wrong" })];
  const response = await session.signIn("alice", "builder");
  assert.equal(response.status, 401);
  assert.equal((await response.json()).detail, "wrong");
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/token", "/me a1"]);
  assert.deepEqual(session.events, []);
});

test("a sign-in ends the session that was there", async () => {
  const session = await signedIn();
  await session.signIn("bob", "builder");
  await settled();
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/token", "/logout r1", "/me a2"]);
  assert.deepEqual(session.events, []);
});

test("a sign-out needs no server, but says whether it had one", async () => {
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
  ["signs in anew", tokens, async session => { await session.signIn("bob", "builder"); await settled(); }, ["/token", "/logout r1", "/logout r3", "/public a2"], []],
  ["signs in anew, and the old session is over", over, async session => { await session.signIn("bob", "builder"); await settled(); }, ["/token", "/logout r1", "/public a2"], []],
]) {
  test(`an answer that comes after the user ${about} counts for nothing`, async () => {
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

test("a tab uses what another tab has renewed", async () => {
  const storage = shared();
  const one = await signedIn({ storage });
  const other = new Session({ origin, storage });
  server["/me"] = [expired];
  await other.fetch(origin + "/me");
  await one.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2", "/me a2"]);
});

for (const [about, answer] of [["new tokens", tokens], ["a refusal", over]]) {
  test(`a tab that is late with ${about} leaves those of another tab alone`, async () => {
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

test("a sign-out in another tab is noticed once", async () => {
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
  assert.deepEqual(one.events, []); // it knows

  await other.signIn("bob", "builder");
  listen();
  await other.signOut();
  listen();
  assert.deepEqual(one.events, ["login-required"]);
});

test("a sign-in in another tab is another session, and nothing is sent again in its name", async () => {
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

test("tokens that are taken away are missed at the next request", async () => {
  const storage = shared();
  const session = await signedIn({ storage });
  storage.removeItem("jwtgate"); // by the user, of which browsers do not tell
  await session.fetch(origin + "/me");
  assert.deepEqual(asked(), ["/me"]);
  assert.deepEqual(session.events, ["login-required"]);
});

test("a tab looks again when it has the lock", async () => {
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
  ["is not to be had", { request: async () => { throw new DOMException("opaque origin", "SecurityError"); } }],
  ["does not exist", undefined],
]) {
  test(`a tab goes ahead if the lock ${about}`, { timeout: 5000 }, async t => {
    setLocks(locks);
    const session = await signedIn({ storage: shared(), patience: 20 });
    server["/me"] = [expired];
    const keep = setInterval(() => {}, 5); // AbortSignal.timeout alone keeps no process alive
    t.after(() => clearInterval(keep));
    assert.equal((await session.fetch(origin + "/me")).status, 200);
    assert.deepEqual(asked(), ["/me a1", "/refresh r1", "/me a2"]);
  });
}

test("what is in memory needs no lock", async () => {
  const request = mock.fn((_, options, call) => call());
  setLocks({ request });
  const session = await signedIn();
  server["/me"] = [expired];
  assert.equal((await session.fetch(origin + "/me")).status, 200);
  assert.equal(request.mock.callCount(), 0);
});

test("a session outlives its page in storage, and nothing else does", async () => {
  const storage = shared();
  await signedIn({ storage });
  assert(new Session({ origin, storage }).signedIn);
  assert(!new Session({ origin, storage, key: "other" }).signedIn);
  assert(!new Session({ origin }).signedIn);
  storage.setItem("jwtgate", "{"); // another script's, or a hand's
  assert(!new Session({ origin, storage }).signedIn);
});
