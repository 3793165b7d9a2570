// A session for a page that stores its tokens itself. This file needs no other: serve, bundle or copy it.
//
// Prefer cookies: scripts cannot read HttpOnly cookies, and the server renews them without a
// script. An injected script can steal tokens that this module stores. On the other hand, the
// browser never sends these tokens by itself, so CSRF is impossible.

/**
 * @typedef {object} Options
 * @property {string} [origin] the only origin that gets the access token; default: the page's
 * @property {string} [tokenURL] exchanges a name and a password for tokens; default: /token there
 * @property {string} [refreshURL] exchanges a refresh token for new tokens; default: /refresh there
 * @property {string} [logoutURL] ends the session of a refresh token; default: /logout there
 * @property {Storage} [storage] localStorage survives a reload and is shared by all tabs; default: memory.
 *   Do not use sessionStorage: a duplicated tab copies it, and the server treats the second copy as stolen
 * @property {string} [key] the name in storage; default: jwtgate
 * @property {number} [patience] milliseconds until an unanswered refresh is repeated once; default: 3000
 *
 * @typedef {{ access_token: string, refresh_token: string, expires_in?: number, received: number, login: number }} Tokens
 *   RFC 6749 §5.1, the local time of receipt, and a number for the sign-in
 */

const early = 0.9; // the share of a token's life after which it is renewed
const pause = 1000; // milliseconds between a failed refresh and the next one
const timeout = 30000; // milliseconds until a request to an endpoint fails

/**
 * A Session stores and renews the tokens of a user. It dispatches "renewed", and "login-required"
 * if the server has ended the session or another tab has signed out or in. Only then does the
 * user have to sign in again: an unavailable server never ends a session.
 */
export class Session extends EventTarget {
  /** @param {Options} [options] */
  constructor({ origin = globalThis.location?.origin, tokenURL = "/token", refreshURL = "/refresh", logoutURL = "/logout", storage, key = "jwtgate", patience = 3000 } = {}) {
    super();
    this.#origin = origin && new URL(origin).origin; // undefined on a server
    this.#tokenURL = tokenURL;
    this.#refreshURL = refreshURL;
    this.#logoutURL = logoutURL;
    this.fetch = this.fetch.bind(this); // to be passed on
    this.#storage = storage ?? memory();
    this.#locks = storage && globalThis.navigator?.locks; // undefined on plain HTTP and in old browsers
    this.#key = key;
    this.#patience = patience;
    this.#login = this.#tokens?.login;
    globalThis.addEventListener?.("storage", () => this.#current());
  }

  #origin; #tokenURL; #refreshURL; #logoutURL; #storage; #locks; #key; #patience;
  #login; // the last known sign-in
  /** @type {Promise<void> | null} the refresh in progress, or one that failed less than pause ago */
  #renewal = null;

  /** Whether there are tokens. Only the server knows whether they are still valid. */
  get signedIn() { return Boolean(this.#tokens); }

  /**
   * Like window.fetch, with the access token. It is renewed shortly before it expires. If the server
   * refuses it, it is renewed and the request is sent again, unless its body is a stream. After a 401
   * without login-required, try again later. A Request is cloned, so pass a large body in init.
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init = {}) {
    const request = input instanceof Request ? input : new Request(input);
    const signal = init.signal ?? request.signal;
    signal.throwIfAborted();
    const headers = new Headers(init.headers ?? request.headers);
    const wanted = new URL(request.url).origin === this.#origin && !headers.has("Authorization");
    let tokens = wanted ? this.#current() : null;
    if (tokens && agedBy(early, tokens)) {
      const renewal = this.#renew(tokens);
      if (agedBy(1, tokens)) {
        await unlessAborted(renewal, signal);
        tokens = this.#current();
      }
    }
    if (!tokens) return fetch(input, init);

    /** @param {Tokens} tokens */
    const send = ({ access_token }) => {
      headers.set("Authorization", `Bearer ${access_token}`);
      return fetch(request.clone(), { ...init, headers });
    };
    const response = await send(tokens);
    if (!await tokenRefused(response)) return response;
    await unlessAborted(this.#renew(tokens), signal);
    const renewed = this.#current();
    if (renewed?.login !== tokens.login || renewed.access_token === tokens.access_token || init.body instanceof ReadableStream) return response;
    response.body?.cancel().catch(() => {}); // the connection may be broken
    return send(renewed);
  }

  /**
   * Exchanges a name and a password for tokens, and ends the previous session. Resolves to
   * the server's response. Rejects with a SignInError if the server refuses; nothing has changed.
   * @param {string} username
   * @param {string} password
   */
  async signIn(username, password) {
    const response = await this.#post(this.#tokenURL, { grant_type: "password", username, password });
    if (!response.ok) throw new SignInError(response);
    const tokens = await response.clone().json();
    const before = this.#tokens;
    const login = Math.random();
    this.#tokens = { ...tokens, received: Date.now(), login };
    this.#login = login;
    if (before) this.#end(before);
    return response;
  }

  /**
   * Removes the tokens at once, in all tabs, and ends the session on the server. Resolves
   * to whether the server has confirmed it.
   */
  async signOut() {
    const tokens = this.#tokens;
    this.#tokens = null;
    this.#login = undefined; // no login-required in this tab
    return !tokens || this.#end(tokens);
  }

  /** @returns {Tokens | null} */
  get #tokens() {
    try {
      return JSON.parse(this.#storage.getItem(this.#key) ?? "null");
    } catch {
      return null; // written by another script
    }
  }

  set #tokens(tokens) {
    if (tokens) this.#storage.setItem(this.#key, JSON.stringify(tokens));
    else this.#storage.removeItem(this.#key);
  }

  // Returns the tokens. Dispatches login-required once if those of the last known sign-in are gone.
  #current() {
    const tokens = this.#tokens;
    const before = this.#login;
    this.#login = tokens?.login;
    if (before && before !== this.#login) this.dispatchEvent(new Event("login-required"));
    return tokens;
  }

  /**
   * Resolves when there are newer tokens than these, or when the refresh has failed. All callers
   * share one refresh. It continues if they abort.
   * @param {Tokens} tokens
   */
  #renew(tokens) {
    return this.#renewal ??= this.#withLock(() => this.#refresh(tokens).catch(() => false)).then(answered => {
      if (answered) this.#renewal = null;
      else setTimeout(() => { this.#renewal = null; }, pause);
    });
  }

  /**
   * Lets one tab refresh at a time, so that the others can use its tokens. If a tab holds the lock
   * for longer than patience, refreshes without the lock.
   * @param {() => Promise<boolean>} refresh
   */
  async #withLock(refresh) {
    try {
      if (this.#locks) return await this.#locks.request(this.#key, { signal: AbortSignal.timeout(this.#patience) }, refresh);
    } catch { /* no lock */ }
    return refresh();
  }

  /**
   * Exchanges the refresh token. Resolves to whether the server has answered.
   * @param {Tokens} stale
   */
  async #refresh(stale) {
    const tokens = this.#tokens;
    if (tokens?.access_token !== stale.access_token) return true; // another tab has refreshed
    const { refresh_token } = tokens;
    const ask = async () => {
      const response = await this.#post(this.#refreshURL, { grant_type: "refresh_token", refresh_token });
      return { ok: response.ok, answer: await response.json() };
    };
    // If an answer is lost or late, ask again: the server gives the same token the same successor.
    const first = ask();
    const answered = await Promise.race([first.then(() => true, () => false), new Promise(resolve => setTimeout(resolve, this.#patience))]);
    const { ok, answer } = await (answered ? first : Promise.any([first, ask()]));
    const now = this.#tokens;
    const unchanged = now?.refresh_token === refresh_token; // by another tab, a sign-out or a sign-in
    if (ok && answer?.access_token) {
      if (unchanged) {
        this.#tokens = { ...tokens, ...answer, received: Date.now() };
        this.dispatchEvent(new Event("renewed"));
      } else if (now?.login !== tokens.login) this.#end({ ...tokens, ...answer });
      return true;
    }
    if (answer?.error !== "invalid_grant" || answer.code === "refresh_stale") return false;
    if (unchanged) {
      this.#tokens = null;
      this.#current();
    }
    return true;
  }

  /** @param {Tokens} tokens */
  #end({ refresh_token }) {
    return this.#post(this.#logoutURL, { refresh_token }, { keepalive: true }).then(({ ok }) => ok, () => false);
  }

  /**
   * @param {string} url
   * @param {Record<string, string>} parameters
   * @param {RequestInit} [init]
   */
  #post(url, parameters, init) {
    // The server refuses a request with a cookie and a body token; a redirect could leak the token.
    return fetch(new URL(url, this.#origin), { method: "POST", body: new URLSearchParams(parameters), credentials: "omit", redirect: "error", signal: AbortSignal.timeout(timeout), ...init });
  }
}

/** The error of a refused sign-in: the response has status 401 for a wrong password. */
export class SignInError extends Error {
  /** @param {Response} response */
  constructor(response) {
    super(`sign-in refused: ${response.status}`);
    this.name = "SignInError";
    this.response = response;
  }
}

/**
 * Whether a share of the access token's life is over, counted from its receipt: the server's clock
 * does not matter. If the local clock jumps, it is renewed early, or after the server refuses it.
 * @param {number} share
 * @param {Tokens} tokens
 */
function agedBy(share, { received, expires_in }) {
  const age = (Date.now() - received) / 1000;
  return age < 0 || age > (expires_in > 0 ? expires_in * share : Infinity);
}

/**
 * @param {Promise<void>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Whether the server has refused the access token (RFC 6750 §3.1). Most servers of another origin
 * hide the challenge from the page, but the body says the same.
 * @param {Response} response
 */
async function tokenRefused(response) {
  if (response.status !== 401) return false;
  const challenge = response.headers.get("WWW-Authenticate");
  if (challenge) return /\bBearer\b.*\berror="?invalid_token\b/i.test(challenge);
  const problem = await response.clone().json().catch(() => null);
  return /^token_(expired|invalid|revoked)$/.test(problem?.code);
}

/** @returns {Pick<Storage, "getItem" | "setItem" | "removeItem">} */
function memory() {
  const items = new Map();
  return {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: key => items.delete(key),
  };
}
