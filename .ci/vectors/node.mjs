// Valid and invalid tokens made with the crypto module of Node, which is OpenSSL.

import { constants, createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { algorithms, claims, group, write } from "./vectors.mjs";

const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const sizes = { ES256: 32, ES384: 48, ES512: 66 };

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const hash = (alg) => `sha${alg.slice(2)}`;

// newKey returns a private key of alg, and its public half as a JWK.
function newKey(alg, bits = 2048, exponent = 65537) {
  if (alg.startsWith("HS")) {
    const key = createSecretKey(randomBytes(Number(alg.slice(2)) / 8));
    return { key, jwk: { ...key.export({ format: "jwk" }), alg } };
  }
  const pair = alg.startsWith("ES")
    ? generateKeyPairSync("ec", { namedCurve: curves[alg] })
    : alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: bits, publicExponent: exponent });
  return { key: pair.privateKey, jwk: { ...pair.publicKey.export({ format: "jwk" }), alg } };
}

// signature returns the signature of input, with the salt and the encoding of JWS unless
// options say otherwise.
function signature(alg, key, input, options = {}) {
  const data = Buffer.from(input);
  switch (alg.slice(0, 2)) {
    case "HS":
      return createHmac(hash(alg), key).update(data).digest();
    case "RS":
      return sign(hash(alg), data, { key, padding: constants.RSA_PKCS1_PADDING });
    case "PS":
      return sign(hash(alg), data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: options.salt ?? constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case "ES":
      return sign(hash(alg), data, { key, dsaEncoding: options.encoding ?? "ieee-p1363" });
  }
  return sign(null, data, key);
}

const input = (header, payload = claims) => `${base64url(JSON.stringify(header))}.${base64url(payload)}`;

function token(alg, key, header = { alg, typ: "at+jwt" }, options) {
  const text = input(header);
  return `${text}.${base64url(signature(alg, key, text, options))}`;
}

// edited returns a token whose signature is changed by edit.
function edited(alg, key, edit) {
  const text = input({ alg, typ: "at+jwt" });
  return `${text}.${base64url(edit(signature(alg, key, text)))}`;
}

const flip = (bytes, at) => {
  const changed = Buffer.from(bytes);
  changed[at < 0 ? changed.length + at : at] ^= 1;
  return changed;
};

const groups = [];
for (const alg of algorithms) {
  const { key, jwk } = newKey(alg);
  const other = newKey(alg).key;
  const keyed = group(alg, jwk);
  const { add } = keyed;
  groups.push(keyed);
  const good = token(alg, key);

  add("signed", good, true);
  add("no typ", token(alg, key, { alg }), true);
  add("another key", token(alg, other), false);
  add("alg none, no signature", `${input({ alg: "none" })}.`, false);
  add("alg none, the signature of another header", `${input({ alg: "none" })}.${good.split(".")[2]}`, false);
  add("alg in lower case", token(alg, key, { alg: alg.toLowerCase() }), false);
  for (const wrong of algorithms) {
    if (wrong !== alg) {
      add(`alg ${wrong} in the header`, token(alg, key, { alg: wrong, typ: "at+jwt" }), false);
    }
  }
  add("claims changed", `${input({ alg, typ: "at+jwt" }, claims.replace("alice", "admin"))}.${good.split(".")[2]}`, false);
  add("first bit of the signature", edited(alg, key, (s) => flip(s, 0)), false);
  add("last bit of the signature", edited(alg, key, (s) => flip(s, -1)), false);
  add("signature without its last byte", edited(alg, key, (s) => s.subarray(0, -1)), false);
  add("signature without its first byte", edited(alg, key, (s) => s.subarray(1)), false);
  add("signature with a zero byte before", edited(alg, key, (s) => Buffer.concat([Buffer.alloc(1), s])), false);
  add("signature with a zero byte after", edited(alg, key, (s) => Buffer.concat([s, Buffer.alloc(1)])), false);
  add("signature twice", edited(alg, key, (s) => Buffer.concat([s, s])), false);
  add("signature of zeros", edited(alg, key, (s) => Buffer.alloc(s.length)), false);
  add("signature of ones", edited(alg, key, (s) => Buffer.alloc(s.length, 0xff)), false);
  add("signature with padding", `${good}=`, false);
  add("signature in hexadecimal", edited(alg, key, (s) => Buffer.from(s.toString("hex"))), false);
  add("line break at the end", `${good}\n`, false);

  if (alg.startsWith("ES")) {
    const size = sizes[alg];
    add("signature as DER", token(alg, key, undefined, { encoding: "der" }), false);
    add("r and s exchanged", edited(alg, key, (s) => Buffer.concat([s.subarray(size), s.subarray(0, size)])), false);
    add("r is zero", edited(alg, key, (s) => Buffer.concat([Buffer.alloc(size), s.subarray(size)])), false);
    add("s is zero", edited(alg, key, (s) => Buffer.concat([s.subarray(0, size), Buffer.alloc(size)])), false);
    for (const [name, at] of [["r", 0], ["s", size]]) {
      let text, bytes;
      do {
        text = input({ alg, typ: "at+jwt", n: randomBytes(4).toString("hex") });
        bytes = signature(alg, key, text);
        // The first byte of a number of 521 bits is 0 or 1, so the second one must be zero, too.
      } while (bytes[at] !== 0 || (alg === "ES512" && bytes[at + 1] !== 0));
      add(`${name} begins with zeros`, `${text}.${base64url(bytes)}`, true);
      const short = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      add(`${name} without its zeros`, `${text}.${base64url(short)}`, false);
    }
  }
  if (alg.startsWith("PS")) {
    for (const salt of [0, 1, 20, Number(alg.slice(2)) / 8 - 1, Number(alg.slice(2)) / 8 + 1]) {
      add(`a salt of ${salt} bytes`, token(alg, key, undefined, { salt }), false);
    }
  }
  if (alg.startsWith("RS") || alg.startsWith("PS")) {
    for (const [bits, exponent] of [[2048, 3], [3072, 65537], [4096, 65537]]) {
      const larger = newKey(alg, bits, exponent);
      groups.push(group(alg, larger.jwk));
      groups.at(-1).add(`a key of ${bits} bits, exponent ${exponent}`, token(alg, larger.key), true);
    }
    if (alg !== "PS512") {
      // A signature with a salt of 64 bytes does not fit into 1024 bits.
      const small = newKey(alg, 1024);
      groups.push(group(alg, small.jwk));
      groups.at(-1).add("a key of 1024 bits", token(alg, small.key), false);
    }
    let text, bytes;
    do {
      text = input({ alg, typ: "at+jwt", n: randomBytes(4).toString("hex") });
      bytes = signature(alg, key, text);
    } while (bytes[0] !== 0);
    add("signature begins with a zero byte", `${text}.${base64url(bytes)}`, true);
    add("signature without its zero byte", `${text}.${base64url(bytes.subarray(1))}`, false);
  }
}
write("node.json", groups);
