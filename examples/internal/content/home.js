"use strict";
const $ = id => document.getElementById(id);
const longest = 300; // the maximum number of characters of an answer in the log
let issued = 0, expires = 0, token = "", renewals = 0;
let own = null; // the session that stores the tokens in this page, once it was used
let session = null; // the same session while the page does not use cookies

// call sends a request to the API. With cookies, fetch is enough: the browser sends
// them, and the server renews them. Without cookies, the session sends and renews
// the token.
function call(method, path, body) {
  const init = { method, credentials: session ? "omit" : "same-origin" };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  return (session ?? window).fetch(path, init);
}

// holdTokens switches between tokens in this page and tokens in cookies.
async function holdTokens(here) {
  if (here && !own) {
    const { Session } = await import("/jwtgate.js");
    own = new Session({ storage: localStorage }); // shared by all tabs; survives a reload
    own.addEventListener("login-required", act(() => {}));
  }
  session = here ? own : null;
  $("no-cookies").checked = here;
  for (const text of document.querySelectorAll("[data-home]")) text.hidden = (text.dataset.home === "page") !== here;
}

// show asks the server for the signed-in user, and updates the page.
async function show() {
  let answer = await call("GET", "/public"); // also answers visitors who are not signed in
  let claims = await answer.json();
  if (claims.sub) {
    answer = await call("GET", "/me");
    claims = await answer.json();
  }
  if (!answer.ok && answer.status !== 401) throw new Error(claims.detail);
  for (const id of ["signed-in", "calls", "sessions", "theft", "stranger"]) $(id).hidden = !claims.sub;
  $("signed-out").hidden = Boolean(claims.sub);
  document.body.dataset.state = claims.sub ? "signed-in" : "signed-out";
  if (!claims.sub) {
    expires = renewals = 0;
    token = "";
    $("log").replaceChildren();
    $("log").hidden = true;
    if (claims.detail) complain(claims.detail);
    return;
  }
  $("subject").textContent = claims.sub + " (" + (claims.roles || []).join(", ") + ")";
  if (token && claims.jti !== token) {
    renewals++;
    mark($("log").firstChild);
  }
  issued = claims.iat;
  expires = claims.exp;
  token = claims.jti;
  tick();
  await devices();
}

function tick() {
  const left = Math.max(expires - Date.now() / 1000, 0);
  $("left").textContent = left.toFixed(1) + " s";
  $("bar").value = left / Math.max(expires - issued, 1);
  $("signed-in").classList.toggle("over", left === 0);
  const hint = (left > 0 ? "" : "It has expired. The next call renews it. ") +
    "Renewed " + renewals + (renewals === 1 ? " time" : " times") + " on this page.";
  if ($("hint").textContent !== hint) $("hint").textContent = hint; // a screen reader speaks each change
  document.body.dataset.renewals = renewals;
}

// devices shows a card for each session of the user.
async function devices() {
  const answer = await call("GET", "/sessions");
  if (!answer.ok) return;
  $("devices").replaceChildren(...(await answer.json()).map(session => {
    const name = document.createElement("strong");
    name.textContent = device(session.user_agent);
    const since = document.createElement("small");
    since.textContent = "signed in " + new Date(session.created).toLocaleString() + (session.current ? ", this device" : "");
    const item = document.createElement("li");
    item.append(name, since);
    item.title = session.user_agent;
    item.className = session.current ? "current" : "";
    if (!session.current) {
      const end = document.createElement("button");
      end.textContent = "Sign out";
      end.setAttribute("aria-label", "Sign out " + name.textContent);
      end.onclick = act(() => call("DELETE", "/sessions/" + session.id));
      item.append(end);
    }
    return item;
  }));
}

// device returns a short name for a User-Agent, which is only a hint for the user.
function device(userAgent) {
  const first = names => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = first([[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"], [/curl\//, "curl"], [/Go-http/, "a Go program"]]);
  const system = first([[/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS/, "macOS"], [/Linux/, "Linux"]]);
  return [browser, system].filter(Boolean).join(" on ") || userAgent || "unknown device";
}

// log adds the answer to a call to the list on the page. For a refusal, it shows what
// the server says: with DEBUG=true, that is the reason and the setting to look at.
async function log(name, answer) {
  const text = await answer.text();
  const refusal = answer.headers.get("Content-Type")?.startsWith("application/problem+json") ? JSON.parse(text) : null;
  const status = document.createElement("b");
  status.className = answer.ok ? "good" : "bad";
  status.textContent = answer.status + (refusal ? " " + refusal.code : "");
  const body = document.createElement("small");
  const shown = refusal ? refusal.detail : text;
  body.textContent = shown.length > longest ? shown.slice(0, longest) + " …" : shown;
  const item = document.createElement("li");
  item.append(new Date().toLocaleTimeString() + "  " + name + "  ", status, body);
  $("log").prepend(item);
  if ($("log").children.length > 50) $("log").lastChild.remove();
  $("log").hidden = false;
}

// mark marks the call in the list before which the server renewed the access token.
function mark(item) {
  if (!item) return;
  const badge = document.createElement("mark");
  badge.textContent = "renewed";
  badge.title = "the access token had expired: it was renewed, and the request was served";
  item.querySelector("b").after(badge);
}

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

// act returns a listener that runs an action, updates the page and shows errors. Actions
// run one after another.
let last = Promise.resolve();
function act(action, update = show) {
  const run = async event => {
    complain("");
    try {
      await action(event);
      await update();
    } catch (error) {
      complain("The request failed: " + error.message);
    }
  };
  return event => {
    event?.preventDefault();
    return last = last.then(() => run(event));
  };
}

// tell adds a step to the story of the stolen session.
function tell(text, kind = "") {
  const step = document.createElement("li");
  step.textContent = text;
  step.className = kind;
  $("story").append(step);
  $("story").hidden = false;
}

// steal plays a thief who copied a refresh token. The victim is another session of
// alice, whose tokens are in the answers, as in those to an app on a phone.
async function steal() {
  $("story").replaceChildren();
  const post = (path, fields) => fetch(path, { method: "POST", credentials: "omit", body: new URLSearchParams(fields) });
  const refresh = async token => (await post("/refresh", { refresh_token: token })).json();
  const me = access => fetch("/me", { credentials: "omit", headers: { Authorization: "Bearer " + access } });
  const login = await post("/token", { username: "alice", password: "wonderland" });
  if (!login.ok) throw new Error((await login.json()).detail);
  const first = await login.json();
  tell("Alice's phone signs in. The thief copies its refresh token.");
  const second = await refresh(first.refresh_token);
  tell("The phone refreshes. The server replaces the refresh token.");
  let third = second;
  tell("The phone goes on, and refreshes again as soon as the server allows it, which takes up to twelve seconds.");
  for (let wait = 0; third.refresh_token === second.refresh_token && wait < 60; wait++) {
    await new Promise(resolve => setTimeout(resolve, 250));
    third = await refresh(second.refresh_token);
  }
  tell("The thief uses the copy …");
  const theft = await refresh(first.refresh_token);
  tell(theft.code + ": " + theft.detail, theft.code === "refresh_reused" ? "good" : "bad");
  const after = await me(third.access_token);
  tell("The access tokens of that session: " + after.status + " " + ((await after.json()).code ?? "still good"), after.ok ? "bad" : "good");
  tell("The thief has nothing, Alice's phone must sign in again, and her other devices have noticed nothing.");
}

// stranger is the page in the frame. The frame is sandboxed, so its origin is not ours.
const stranger = `<!doctype html><title>Free kittens!</title><h3>Free kittens!</h3>
<form method="post" action="/notes"><button>Write a note as you</button></form>
<form method="post" action="/login"><input type="hidden" name="username" value="bob"><input type="hidden" name="password" value="builder"><button>Sign you in as bob</button></form>`;

for (const button of document.querySelectorAll("[data-call]")) {
  button.onclick = act(async () => {
    const [method, path] = button.dataset.call.split(" ");
    const note = method === "POST" ? { text: "written at " + new Date().toLocaleTimeString() } : null;
    await log(button.dataset.call, await call(method, path, note));
  });
}

$("login").onsubmit = act(async event => {
  const { username, password } = Object.fromEntries(new FormData(event.target));
  const answer = await (session ? session.signIn(username, password).catch(refused) : call("POST", "/login", { username, password }));
  if (!answer.ok) complain((await answer.json()).detail);
});
function refused(error) {
  if (error.response) return error.response;
  throw error;
}
$("no-cookies").onchange = act(() => holdTokens($("no-cookies").checked));
$("logout").onclick = act(() => session ? session.signOut() : call("POST", "/logout"));
$("logout-all").onclick = act(async () => {
  await call("POST", "/logout/all");
  await session?.signOut();
});
$("expire").onclick = act(async () => {
  const answer = await call("POST", "/demo/expire");
  if (!answer.ok) return complain((await answer.json()).detail);
  expires = Math.min(expires, Date.now() / 1000);
}, tick); // show would renew the token
$("steal").onclick = async () => {
  complain("");
  $("steal").disabled = true;
  try {
    await steal();
    await devices();
  } catch (error) {
    complain("The request failed: " + error.message);
  }
  $("steal").disabled = false;
};
$("reload").onclick = () => {
  const frame = document.querySelector("iframe");
  let pages = 0;
  frame.onload = () => { $("refused").hidden = ++pages < 2 };
  frame.srcdoc = stranger;
};
$("reload").onclick();

setInterval(tick, 100);
act(() => holdTokens(Boolean(localStorage.getItem("jwtgate"))))();
