// Tokens made with the npm package jose.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { algorithms, claims, group, write } from "./vectors.mjs";

const installed = createRequire(new URL("../../examples/internal/peers/package.json", import.meta.url));
const { CompactSign, exportJWK, generateKeyPair, generateSecret } = await import(pathToFileURL(installed.resolve("jose")));

const groups = [];
for (const alg of algorithms) {
  const options = { extractable: true };
  const pair = alg.startsWith("HS") ? undefined : await generateKeyPair(alg, options);
  const secret = pair ?? (await generateSecret(alg, options));
  const jwk = { ...(await exportJWK(pair ? pair.publicKey : secret)), alg };
  const keyed = group(alg, jwk);
  groups.push(keyed);
  const add = async (name, header, accept, payload = claims) => {
    const sign = new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header);
    keyed.add(name, await sign.sign(pair ? pair.privateKey : secret), accept);
  };
  await add("at+jwt", { alg, typ: "at+jwt" }, true);
  await add("JWT", { alg, typ: "JWT" }, true);
  await add("application/at+jwt", { alg, typ: "application/at+jwt" }, true);
  await add("kid", { alg, kid: "any" }, true);
  await add("jku and x5u", { alg, jku: "https://evil.example/keys", x5u: "https://evil.example/cert" }, true);
  await add("another typ", { alg, typ: "logout+jwt" }, false);
  await add("nested", { alg, cty: "JWT" }, false);
  await add("expired", { alg }, false, claims.replace("1800000900", "1800000000"));
  await add("no exp", { alg }, false, claims.replace(',"exp":1800000900', ""));
  await add("another issuer", { alg }, false, claims.replace("auth.example.com", "evil.example.com"));
  await add("another audience", { alg }, false, claims.replace("api.example.com", "other.example.com"));
  await add("two of a claim", { alg }, false, claims.replace('"sub":"alice"', '"sub":"alice","sub":"admin"'));
  await add("claims that are no object", { alg }, false, `[${claims}]`);
}
write("jose.json", groups);
