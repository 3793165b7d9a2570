// Runs an OpenID Connect provider on a free port of this machine. It prints its URL
// and issues tokens to the client, without a login:
//
//   POST /token  client_id=CLIENT&grant_type=client_credentials&resource=AUDIENCE
//   POST /token  client_id=CLIENT&grant_type=id_token
//
// Each line on standard input is a list of key IDs. The provider then publishes these
// keys, signs with the first one, and prints the line again. It ends when standard
// input ends.
//
//   node provider.mjs CLIENT

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import Provider from 'oidc-provider'

const [client] = process.argv.slice(2)
const made = new Map()

function key(kid) {
  if (!made.has(kid)) {
    made.set(kid, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }))
  }
  return { ...made.get(kid), kid }
}

function providerOf(kids) {
  const provider = new Provider(issuer, {
    jwks: { keys: kids.map(key) },
    clients: [{ client_id: client, client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post', grant_types: ['client_credentials', 'id_token'], redirect_uris: [], response_types: [] }],
    extraTokenClaims: () => ({ roles: ['admin'] }),
    ttl: { ClientCredentials: 600, IdToken: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, audience) => ({ audience, scope: 'invoices:read', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256', kid: kids[0] } } }),
      },
    },
  })
  // Issues the ID token that a client gets at the end of a login.
  provider.registerGrantType('id_token', async (ctx) => {
    const token = new provider.IdToken({ sub: 'alice' }, { ctx })
    token.scope = 'openid'
    token.set('at_hash', 'the access token beside it')
    ctx.body = { id_token: await token.issue({ use: 'idtoken' }) }
  })
  return provider.callback()
}

let handle
const server = createServer((req, res) => handle(req, res))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
handle = providerOf(['first'])
console.log(issuer)

for await (const line of createInterface({ input: process.stdin })) {
  handle = providerOf(line.split(' '))
  console.log(line)
}
process.exit()
