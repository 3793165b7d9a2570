// Verifies access tokens like a service in another language that knows only the
// issuer's published keys. It prints the subject of each token.
//
//   node verify.mjs JWKS-URL ISSUER AUDIENCE TOKEN…

import { createRemoteJWKSet, jwtVerify } from 'jose'

const [url, issuer, audience, ...tokens] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(url))
for (const token of tokens) {
  const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', requiredClaims: ['sub', 'iat', 'jti', 'sid'] })
  console.log(payload.sub)
}
