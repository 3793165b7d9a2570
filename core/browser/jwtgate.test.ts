// This file is compiled, and not run: it uses every name of jwtgate.d.ts.

import { type Options, Session, SignInError } from "./jwtgate.js";

const options: Options = { origin: "https://api.example", storage: localStorage, key: "a", patience: 1000, tokenURL: "/t", refreshURL: "/r", logoutURL: "/l" };
const session = new Session(options);
const passedOn: typeof fetch = session.fetch;
session.addEventListener("login-required", event => event.preventDefault());

export async function use(): Promise<boolean> {
  try {
    await session.signIn("alice", "wonderland");
  } catch (error) {
    if (error instanceof SignInError) return error.response.ok;
    throw error;
  }
  const response: Response = await passedOn(new URL("https://api.example/me"), { method: "POST" });
  // @ts-expect-error: a name and a password are needed
  await session.signIn("alice");
  // @ts-expect-error: there is no such option
  new Session({ url: "https://api.example" });
  return response.ok && session.signedIn && await new Session().signOut();
}
