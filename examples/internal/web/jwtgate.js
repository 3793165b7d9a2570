// A session for a page that holds its tokens itself. Copy this file: it needs no other.
//
// Cookies are the better home for tokens: no script can read them if they are HttpOnly, and
// the server renews them without one. What is held here, any script that gets into the page
// can take away. In exchange, nothing is sent along by itself, so there is no CSRF.

/**
 * @typedef {object} Options
 * @property {string} [origin] whose requests get the access token, and nobody else's: by default the page's own
 * @property {string} [tokenURL] trades a name and a password for tokens, by default /token there
 * @property {string} [refreshURL] trades a refresh token for new tokens, by default /refresh there
 * @property {string} [logoutURL] ends the session of a refresh token, by default /logout there
 * @property {Storage} [storage] localStorage outlives a reload and is common to all tabs; the default
 *   is this object's memory. Not sessionStorage: a duplicated tab has a copy, and two holders look like a thief
 * @property {string} [key] the name in storage, by default jwtgate
 * @property {number} [patience] milliseconds until a refresh that is not answered is asked for once more,
 *   by default 3000. It must be well within the server's ReuseWindow
 *
 * @typedef {{ access_token: string, refresh_token: string, expires_in?: number, received: number, login: number }} Tokens
 *   RFC 6749 §5.1, when they came by this machine's clock, and which sign-in they go back to
 */

const early = 0.9; // of a token's life, from when on it is renewed
const pause = 1000; // milliseconds without a refresh after one that failed
const deadline = 30000; // milliseconds until a server is out of reach

/**
 * A Session keeps and renews the tokens of whoever signs in. It dispatches "renewed", and
 * "login-required" when the server has ended the session, or another tab has signed out or in: that
 * alone means to ask who is there. A server in trouble or out of reach ends nothing.
 */
export class Session extends EventTarget {
  /** @param {Options} [options] */
  constructor({ origin = location.origin, tokenURL = "/token", refreshURL = "/refresh", logoutURL = "/logout", storage, key = "jwtgate", patience = 3000 } = {}) {
    super();
    this.#origin = new URL(origin).origin;
    this.#tokenURL = new URL(tokenURL, origin).href;
    this.#refreshURL = new URL(refreshURL, origin).href;
    this.#logoutURL = new URL(logoutURL, origin).href;
    this.#storage = storage ?? memory();
    this.#locks = storage && globalThis.navigator?.locks; // none in memory, on plain http or in old browsers
    this.#key = key;
    this.#patience = patience;
    this.#login = this.#tokens?.login;
    globalThis.addEventListener?.("storage", () => this.#look());
  }

  #origin; #tokenURL; #refreshURL; #logoutURL; #storage; #locks; #key; #patience;
  #login; // the last one seen
  /** @type {Promise<void> | null} the refresh under way, or the last one if that failed a moment ago */
  #flight = null;

  /** Whether there are tokens. Only the server knows whether they are still good. */
  get signedIn() { return Boolean(this.#tokens); }

  /**
   * Does what window.fetch does, with the access token. It is renewed shortly before it expires, and if
   * the server refuses it, and then the request is sent once more, unless its body is a stream. A 401 that
   * comes back without login-required is for later. A Request is cloned: large bodies belong in init.
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init = {}) {
    const request = input instanceof Request ? input : new Request(input);
    const signal = init.signal ?? request.signal;
    signal.throwIfAborted();
    const headers = new Headers(init.headers ?? request.headers);
    const ours = new URL(request.url).origin === this.#origin && !headers.has("Authorization");
    let tokens = ours ? this.#look() : null;
    if (tokens && agedBy(early, tokens)) {
      const renewal = this.#renew(tokens);
      if (agedBy(1, tokens)) {
        await unlessAborted(renewal, signal);
        tokens = this.#look();
      }
    }
    if (!tokens) return fetch(input, init);

    /** @param {Tokens} tokens */
    const send = ({ access_token }) => {
      headers.set("Authorization", `Bearer ${access_token}`);
      return fetch(request.clone(), { ...init, headers });
    };
    const response = await send(tokens);
    if (!await refused(response)) return response;
    await unlessAborted(this.#renew(tokens), signal);
    const renewed = this.#look();
    if (renewed?.login !== tokens.login || renewed.access_token === tokens.access_token || init.body instanceof ReadableStream) return response;
    response.body?.cancel().catch(() => {}); // it may be broken off
    return send(renewed);
  }

  /**
   * Trades a name and a password for tokens, and ends the session that was there. Resolves
   * to the server's answer: if that is not ok, nothing has changed.
   * @param {string} username
   * @param {string} password
   */
  async signIn(username, password) {
    const response = await this.#post(this.#tokenURL, { grant_type: "password", username, password });
    if (response.ok) {
      const tokens = await response.clone().json();
      const before = this.#tokens;
      const login = Math.random();
      this.#tokens = { ...tokens, received: Date.now(), login };
      this.#login = login;
      if (before) this.#end(before);
    }
    return response;
  }

  /**
   * Forgets the tokens at once, in all tabs, and ends the session on the server. Resolves
   * to whether the server has said so: it may be out of reach.
   */
  async signOut() {
    const tokens = this.#tokens;
    this.#tokens = null;
    this.#login = undefined; // this tab knows
    return !tokens || this.#end(tokens);
  }

  /** @returns {Tokens | null} */
  get #tokens() {
    try {
      return JSON.parse(this.#storage.getItem(this.#key) ?? "null");
    } catch {
      return null; // not ours
    }
  }

  set #tokens(tokens) {
    if (tokens) this.#storage.setItem(this.#key, JSON.stringify(tokens));
    else this.#storage.removeItem(this.#key);
  }

  // Returns the tokens, and says once that those of before are gone, whoever took them.
  #look() {
    const tokens = this.#tokens;
    const before = this.#login;
    this.#login = tokens?.login;
    if (before && before !== this.#login) this.dispatchEvent(new Event("login-required"));
    return tokens;
  }

  /**
   * Resolves once there are newer tokens than these or there is no hope for now. Whoever
   * waits shares one refresh, which goes on without them.
   * @param {Tokens} tokens
   */
  #renew(tokens) {
    return this.#flight ??= this.#alone(() => this.#refresh(tokens).catch(() => false)).then(answered => {
      if (answered) this.#flight = null;
      else setTimeout(() => { this.#flight = null; }, pause);
    });
  }

  /**
   * Has one tab refresh at a time, which spares the others a refresh of their own. It is a
   * courtesy: a tab that is frozen with the lock in its hand tries their patience once.
   * @param {() => Promise<boolean>} refresh
   */
  async #alone(refresh) {
    try {
      if (this.#locks) return await this.#locks.request(this.#key, { signal: AbortSignal.timeout(this.#patience) }, refresh);
    } catch { /* go ahead */ }
    return refresh();
  }

  /**
   * Trades the refresh token, and resolves to whether the server has answered.
   * @param {Tokens} stale
   */
  async #refresh(stale) {
    const tokens = this.#tokens;
    if (tokens?.access_token !== stale.access_token) return true; // another tab was here
    const { refresh_token } = tokens;
    const ask = async () => {
      const response = await this.#post(this.#refreshURL, { grant_type: "refresh_token", refresh_token });
      return { ok: response.ok, answer: await response.json() };
    };
    // If an answer is lost or late, the same token gets the same successor once more.
    const first = ask();
    const answered = await Promise.race([first.then(() => true, () => false), new Promise(resolve => setTimeout(resolve, this.#patience))]);
    const { ok, answer } = await (answered ? first : Promise.any([first, ask()]));
    const now = this.#tokens;
    const untouched = now?.refresh_token === refresh_token; // by another tab, a sign-out or a sign-in
    if (ok && answer?.access_token) {
      if (untouched) {
        this.#tokens = { ...tokens, ...answer, received: Date.now() };
        this.dispatchEvent(new Event("renewed"));
      } else if (now?.login !== tokens.login) this.#end({ ...tokens, ...answer });
      return true;
    }
    if (answer?.error !== "invalid_grant") return false;
    if (untouched) {
      this.#tokens = null;
      this.#look();
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
    // Cookies would be a second carrier, and a redirect would take the token elsewhere.
    return fetch(url, { method: "POST", body: new URLSearchParams(parameters), credentials: "omit", redirect: "error", signal: AbortSignal.timeout(deadline), ...init });
  }
}

/**
 * Whether a share of the tokens' life is over. The time of receipt counts, so the server's clock
 * does not matter. If this one jumps, they are renewed too early, or when the server refuses them.
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
 * Whether a response says that the access token is to be renewed (RFC 6750 §3.1). Servers of
 * another origin seldom let a page read the challenge, but the body says the same.
 * @param {Response} response
 */
async function refused(response) {
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
