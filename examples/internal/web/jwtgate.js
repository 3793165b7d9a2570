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
 * @property {number} [timeout] milliseconds until an answer counts as lost, by default 4000: it must
 *   be less than half of the server's ReuseWindow, so that asking once more is within it
 *
 * @typedef {{ access_token: string, refresh_token: string, expires_in?: number, received: number }} Tokens
 *   RFC 6749 §5.1, and when they came by this machine's clock
 */

const early = 0.9; // of a token's life, from when on it is renewed
const pause = 1000; // milliseconds without a refresh after one that failed

/**
 * A Session keeps and renews the tokens of whoever signs in. It dispatches "renewed", and
 * "login-required" when the server has ended the session or another tab has signed out: that
 * alone means to sign in again. A server in trouble or out of reach ends nothing.
 */
export class Session extends EventTarget {
  /** @param {Options} [options] */
  constructor({ origin = location.origin, tokenURL = "/token", refreshURL = "/refresh", logoutURL = "/logout", storage, key = "jwtgate", timeout = 4000 } = {}) {
    super();
    this.#origin = new URL(origin).origin;
    this.#tokenURL = new URL(tokenURL, origin).href;
    this.#refreshURL = new URL(refreshURL, origin).href;
    this.#logoutURL = new URL(logoutURL, origin).href;
    this.#storage = storage ?? memory();
    this.#locks = storage && globalThis.navigator?.locks; // none in memory, on plain http or in old browsers
    this.#key = key;
    this.#timeout = timeout;
    this.#wasSignedIn = this.signedIn;
    globalThis.addEventListener?.("storage", () => this.#look());
  }

  #origin; #tokenURL; #refreshURL; #logoutURL; #storage; #locks; #key; #timeout; #wasSignedIn;
  /** @type {Promise<void> | null} the refresh under way, or the last one if that failed a moment ago */
  #flight = null;

  /** Whether there are tokens. Only the server knows whether they are still good. */
  get signedIn() { return Boolean(this.#tokens); }

  /**
   * Does what window.fetch does, with the access token. It is renewed shortly before it expires, and
   * if the server refuses it, and then the request is sent once more, unless its body is a stream. A 401
   * that comes back without login-required is for later. A Request is cloned: large bodies belong in init.
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init = {}) {
    const request = input instanceof Request ? input : new Request(input);
    const signal = init.signal ?? request.signal;
    const headers = new Headers(init.headers ?? request.headers);
    const ours = new URL(request.url).origin === this.#origin && !headers.has("Authorization");
    let tokens = ours ? this.#tokens : null;
    if (tokens && old(tokens)) {
      await this.#renew(tokens, signal);
      tokens = this.#tokens;
    }
    if (!tokens) return fetch(input, init);

    /** @param {Tokens} tokens */
    const send = ({ access_token }) => {
      headers.set("Authorization", `Bearer ${access_token}`);
      return fetch(request.clone(), { ...init, headers });
    };
    const response = await send(tokens);
    if (!await refused(response)) return response;
    await this.#renew(tokens, signal);
    const renewed = this.#tokens;
    if (!renewed || renewed.access_token === tokens.access_token || init.body instanceof ReadableStream) return response;
    response.body?.cancel();
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
      this.#tokens = { ...tokens, received: Date.now() };
      this.#look();
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
    this.#wasSignedIn = false; // this tab knows
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

  // Says once that the tokens are gone, whoever took them.
  #look() {
    const was = this.#wasSignedIn;
    this.#wasSignedIn = this.signedIn;
    if (was && !this.signedIn) this.dispatchEvent(new Event("login-required"));
  }

  /**
   * Waits until there are newer tokens than these or there is no hope for now. Those who
   * wait share one refresh, which goes on without them.
   * @param {Tokens} tokens
   * @param {AbortSignal} signal
   */
  #renew(tokens, signal) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      this.#flight ??= this.#alone(() => this.#refresh(tokens)).then(answered => {
        if (answered) this.#flight = null;
        else setTimeout(() => { this.#flight = null; }, pause);
      });
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort);
      this.#flight.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }

  /**
   * Has one tab refresh at a time, which spares the others a refresh of their own. It is a
   * courtesy: a tab that is frozen with the lock in its hand delays them by one timeout.
   * @param {() => Promise<boolean>} refresh
   */
  async #alone(refresh) {
    try {
      if (this.#locks) return await this.#locks.request(this.#key, { signal: AbortSignal.timeout(this.#timeout) }, refresh);
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
    // If an answer is lost, the same token gets the same successor.
    const { ok, answer } = await ask().catch(ask).catch(() => ({ ok: false, answer: null }));
    const now = this.#tokens;
    const untouched = now?.refresh_token === refresh_token; // by another tab, a sign-out or a sign-in
    if (ok && answer?.access_token) {
      if (untouched) {
        this.#tokens = { refresh_token, ...answer, received: Date.now() };
        this.dispatchEvent(new Event("renewed"));
      } else if (!now) this.#end({ refresh_token, ...answer });
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
    return fetch(url, { method: "POST", body: new URLSearchParams(parameters), credentials: "omit", redirect: "error", signal: AbortSignal.timeout(this.#timeout), ...init });
  }
}

/**
 * The time of receipt counts, so the server's clock does not matter. After a jump of this
 * one, a token is renewed too early, or when the server refuses it.
 * @param {Tokens} tokens
 */
function old({ received, expires_in = Infinity }) {
  const age = (Date.now() - received) / 1000;
  return age < 0 || age > expires_in * early;
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
