// A page that stays open while its server is restarted.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ask, hangUp, Heard, seen, subscribed } from './talk.mjs'

const [, , library, url, anon] = process.argv
const { createClient } = await import(library)
const client = createClient(url, anon)
const signedUp = await client.auth.signUp({
  email: `someone-${randomUUID()}@example.org`,
  password: 'seven-green-otters',
})
assert.equal(signedUp.error, null)

const heard = new Heard()
await subscribed(
  client.channel('scouts').on('postgres_changes', { event: '*', schema: 'public', table: 'scouts' }, heard.take),
)
const insert = async (title) => {
  const { error } = await client.from('scouts').insert({ title })
  assert.equal(error, null, JSON.stringify(error))
}
await insert('Before')
assert.equal((await heard.next()).new.title, 'Before')
seen('before')

await ask('restart')
// The library connects again after a second or two, and joins by itself; what it missed it missed.
for (let turn = 0; heard.size === 0; turn += 1) {
  assert.ok(turn < 100, 'it did not come back')
  await insert(`After ${turn}`)
  await new Promise((resolve) => setTimeout(resolve, 200))
}
assert.match((await heard.next()).new.title, /^After/)
seen('after')
hangUp()
