// Calls the API many at a time, as axios-auth-refresh tells its users to: what is
// refused is sent again after a refresh. It goes on until the tokens were renewed so
// many times, or a request fails, and prints as JSON how many requests succeeded, what
// the others met with, and how many refreshes there were.
//
//   node axios.mjs ORIGIN REQUESTS-AT-ONCE RENEWALS

import { setTimeout as pause } from 'node:timers/promises'

import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'

const [origin, atOnce, renewals] = process.argv.slice(2)
const { data: first } = await axios.post(`${origin}/token`, { username: 'alice', password: 'wonderland' })
let tokens = first
let renewed = 0

const api = axios.create({ baseURL: origin })
api.interceptors.request.use(request => {
  request.headers.Authorization = `Bearer ${tokens.access_token}`
  return request
})
createAuthRefresh(api, async failed => {
  const { data } = await axios.post(`${origin}/refresh`, { refresh_token: tokens.refresh_token })
  tokens = data
  renewed++
  failed.response.config.headers.Authorization = `Bearer ${tokens.access_token}`
}, { deduplicateRefresh: false }) // or it gives up what is refused while a refresh is under way

let succeeded = 0
const failures = []
while (renewed < Number(renewals) && !failures.length) {
  await pause(50) // or it takes a core for itself
  const calls = Array.from({ length: Number(atOnce) }, (_, i) => i % 2 ? api.post('/notes', { text: `note ${i}` }) : api.get('/me'))
  for (const { reason } of await Promise.allSettled(calls)) {
    if (reason) failures.push(String(reason))
    else succeeded++
  }
}
console.log(JSON.stringify({ succeeded, failures, renewed }))
