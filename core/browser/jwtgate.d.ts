// The types of jwtgate.js.

export interface Options {
  /** The only origin that gets the access token. The default is that of the page. */
  origin?: string;
  /** Exchanges a name and a password for tokens. The default is /token at origin. */
  tokenURL?: string;
  /** Exchanges a refresh token for new tokens. The default is /refresh at origin. */
  refreshURL?: string;
  /** Ends the session of a refresh token. The default is /logout at origin. */
  logoutURL?: string;
  /** localStorage survives a reload and is shared by all tabs. The default is memory. Do not use sessionStorage. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** The name in storage. The default is "jwtgate". */
  key?: string;
  /** Milliseconds until an unanswered refresh is repeated once. The default is 3000. */
  patience?: number;
}

/** The events of a Session. */
export interface SessionEvents {
  renewed: Event;
  "login-required": Event;
}

/** A Session stores and renews the tokens of a user. */
export class Session extends EventTarget {
  constructor(options?: Options);

  /** Whether there are tokens. Only the server knows whether they are still valid. */
  get signedIn(): boolean;

  /** Like window.fetch, with the access token. It can be passed on without the session. */
  fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

  /** Resolves to the server's response, or rejects with a SignInError. */
  signIn(username: string, password: string): Promise<Response>;

  /** Resolves to whether the server has confirmed the sign-out. */
  signOut(): Promise<boolean>;

  addEventListener<K extends keyof SessionEvents>(type: K, listener: (this: Session, event: SessionEvents[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

/** The error of a refused sign-in. */
export class SignInError extends Error {
  constructor(response: Response);

  /** The server's response: status 401 for a wrong name or password. */
  response: Response;
}
