// Tokens whose keys and signatures are made with the command openssl. This script only
// puts them together.

import { createPublicKey } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { algorithms, claims, group, write } from "./vectors.mjs";

const sizes = { ES256: 32, ES384: 48, ES512: 66 };
const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const temporary = mkdtempSync(join(tmpdir(), "vectors"));
const openssl = (...args) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "ignore"] });

// fixed returns a signature in DER as the two numbers of size bytes that JWS has.
function fixed(der, size) {
  let at = der[1] & 0x80 ? 3 : 2;
  const numbers = [];
  for (let i = 0; i < 2; i++) {
    const length = der[at + 1];
    const number = der.subarray(at + 2, at + 2 + length);
    numbers.push(Buffer.concat([Buffer.alloc(size), number]).subarray(-size));
    at += 2 + length;
  }
  return Buffer.concat(numbers);
}

const groups = [];
for (const alg of algorithms) {
  const header = JSON.stringify({ typ: "at+jwt", alg });
  const input = `${Buffer.from(header).toString("base64url")}.${Buffer.from(claims).toString("base64url")}`;
  const data = join(temporary, "input");
  const key = join(temporary, "key.pem");
  writeFileSync(data, input);
  const hash = `-sha${alg.slice(2)}`;
  let jwk, signature;
  if (alg.startsWith("HS")) {
    const secret = openssl("rand", String(Number(alg.slice(2)) / 8));
    jwk = { kty: "oct", k: secret.toString("base64url") };
    signature = openssl("dgst", hash, "-mac", "HMAC", "-macopt", `hexkey:${secret.toString("hex")}`, "-binary", data);
  } else {
    const kind = alg.startsWith("ES")
      ? ["EC", "-pkeyopt", `ec_paramgen_curve:${curves[alg]}`]
      : alg === "EdDSA"
        ? ["ED25519"]
        : ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    openssl("genpkey", "-algorithm", ...kind, "-out", key);
    jwk = createPublicKey(openssl("pkey", "-in", key, "-pubout")).export({ format: "jwk" });
    const pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    signature =
      alg === "EdDSA"
        ? openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", data)
        : openssl("dgst", hash, "-sign", key, ...(alg.startsWith("PS") ? pss : []), data);
    if (alg.startsWith("ES")) {
      signature = fixed(signature, sizes[alg]);
    }
  }
  groups.push(group(alg, { ...jwk, alg }));
  groups.at(-1).add("signed", `${input}.${signature.toString("base64url")}`, true);
  const longer = Buffer.concat([signature, Buffer.from("A")]);
  groups.at(-1).add("a signature with a byte more", `${input}.${longer.toString("base64url")}`, false);
}
rmSync(temporary, { recursive: true });
write("openssl.json", groups);
