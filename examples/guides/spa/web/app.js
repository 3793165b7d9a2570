// The page has no tokens: the browser keeps them in HttpOnly cookies, and the server renews them.

const api = document.querySelector("meta[name=api]").content; // empty on the origin of the API
const $ = id => document.getElementById(id);

// Sends a request with the cookies. "include" is needed if the API has another origin.
async function call(method, path, body) {
  const response = await fetch(api + path, {
    method,
    credentials: "include",
    headers: body && { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({})); // application/problem+json
  if (response.status === 401) show("signed-out");
  throw Object.assign(new Error(problem.title ?? response.statusText), { status: response.status, code: problem.code });
}

function show(state) {
  document.body.dataset.state = state;
}

// Runs an action, and shows its error.
async function act(action) {
  $("problem").textContent = "";
  try {
    await action();
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

async function load() {
  const { sub } = await call("GET", "/api/me");
  $("name").textContent = sub;
  show("signed-in");
}

document.forms[0].onsubmit = event => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(event.target));
  act(async () => {
    await call("POST", "/api/login", { username, password });
    await load();
  });
};
$("visit").onclick = () => act(async () => {
  $("visits").textContent = (await call("POST", "/api/visits")).visits;
});
$("logout").onclick = () => act(async () => {
  await call("POST", "/api/logout");
  show("signed-out");
});

// Nothing is shown until the server has said whether the visitor is signed in: no form flashes up.
load().catch(error => { if (error.status !== 401) $("problem").textContent = error.message; });
