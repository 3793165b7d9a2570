// Runs an OpenID Connect provider on a free port of this machine, at which alice is
// always signed in, and which requires PKCE. It prints its URL, and ends when standard
// input ends.
//
//   node signin.mjs CLIENT SECRET REDIRECT_URI

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [client_id, client_secret, redirect_uri] = process.argv.slice(2)
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })

let handle
const server = createServer((req, res) => handle(req, res))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...key, kid: 'first' }] },
  clients: [{ client_id, client_secret, redirect_uris: [redirect_uri], response_types: ['code'], grant_types: ['authorization_code'] }],
  pkce: { required: () => true },
  findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
  async loadExistingGrant(ctx) { // the user has agreed
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    return grant
  },
})
const callback = provider.callback()
handle = (req, res) => {
  if (!req.url.startsWith('/interaction/')) return callback(req, res)
  return provider.interactionFinished(req, res, { login: { accountId: 'alice' } })
}
console.log(issuer)

process.stdin.resume().on('end', () => process.exit())
