// The tokens and keys that the scripts in this folder write. Each script makes them with
// another implementation, and package core reads them in its tests.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../core/testdata/vectors");

export const claims = JSON.stringify({
  iss: "https://auth.example.com",
  aud: "https://api.example.com",
  sub: "alice",
  iat: 1800000000,
  exp: 1800000900,
});

export const algorithms = [
  "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

// group collects the tokens that are checked with one key. add takes what a token is, the
// token, and whether it is to be accepted.
export function group(alg, jwk) {
  const tokens = [];
  return { alg, jwk, tokens, add: (name, token, accept) => tokens.push({ name, token, accept }) };
}

// write saves groups as the file called name.
export function write(name, groups) {
  mkdirSync(folder, { recursive: true });
  const lines = groups.map(({ alg, jwk, tokens }) => {
    const rows = tokens.map((row) => `  ${JSON.stringify(row)}`).join(",\n");
    return `{"alg": ${JSON.stringify(alg)}, "jwk": ${JSON.stringify(jwk)}, "tokens": [\n${rows}\n]}`;
  });
  writeFileSync(join(folder, name), `[\n${lines.join(",\n")}\n]\n`);
  console.log(`${name}: ${groups.flatMap((g) => g.tokens).length} tokens`);
}
