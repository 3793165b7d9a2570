// Sends many requests at a time to the API, set up as axios-auth-refresh documents: a
// refused request is sent again after a refresh. The program ends after RENEWALS
// refreshes or when a request fails. It prints the number of successful requests, the
// errors of the others, and the number of refreshes as JSON.
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
}, { deduplicateRefresh: false }) // otherwise requests fail that are refused during a refresh

let succeeded = 0
const failures = []
while (renewed < Number(renewals) && !failures.length) {
  await pause(50) // otherwise the program uses a whole processor core
  const calls = Array.from({ length: Number(atOnce) }, (_, i) => i % 2 ? api.post('/notes', { text: `note ${i}` }) : api.get('/me'))
  for (const { reason } of await Promise.allSettled(calls)) {
    if (reason) failures.push(String(reason))
    else succeeded++
  }
}
console.log(JSON.stringify({ succeeded, failures, renewed }))
