// A person with the web interface's client library: rows, changes as they happen, other sessions.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ask, hangUp, Heard, seen, subscribed } from './talk.mjs'

const [, , library, url, anon, service] = process.argv
const { createClient } = await import(library)
const PASSWORD = 'seven-green-otters'

const fine = ({ data, error, ...more }) => {
  assert.equal(error, null, JSON.stringify(error))
  return { data, ...more }
}
const person = async () => {
  const client = createClient(url, anon)
  const email = `someone-${randomUUID()}@example.org`
  const { data } = fine(await client.auth.signUp({ email, password: PASSWORD }))
  assert.ok(data.session.access_token)
  return { client, email, id: data.user.id }
}
const all = (table, more = {}) => ({ event: '*', schema: 'public', table, ...more })

const ann = await person()
const bob = await person()
const master = createClient(url, service, { auth: { persistSession: false } })
seen('sign-up')

// Rows
const { data: scout } = fine(
  await ann.client.from('scouts').insert({ title: 'Ferries', frequency: 'daily' }).select().single(),
)
assert.equal(scout.user_id, ann.id)
fine(await ann.client.from('scouts').update({ goal: 'News about the ferry' }).eq('id', scout.id))
const { data: read } = fine(
  await ann.client.from('scouts').select('id, goal, scout_executions(id, status)').eq('id', scout.id).single(),
)
assert.deepEqual(read, { id: scout.id, goal: 'News about the ferry', scout_executions: [] })
const counted = fine(await ann.client.from('scouts').select('*', { count: 'exact', head: true }))
assert.deepEqual([counted.count, counted.data], [1, null])
assert.equal(fine(await bob.client.from('scouts').select('*').eq('id', scout.id).maybeSingle()).data, null)
const none = await bob.client.from('scouts').select('*').eq('id', scout.id).single()
assert.equal(none.error.code, 'PGRST116')
assert.equal(fine(await bob.client.from('scouts').update({ title: 'Mine' }).eq('id', scout.id).select()).data.length, 0)
assert.equal(fine(await bob.client.from('scouts').delete().eq('id', scout.id).select()).data.length, 0)
assert.equal(fine(await master.from('scouts').select('id').eq('id', scout.id)).data.length, 1)
seen('rows')

// Changes of one's own rows, and none of another's
const [anns, bobs, masters] = [new Heard(), new Heard(), new Heard()]
await subscribed(ann.client.channel('scouts').on('postgres_changes', all('scouts'), anns.take))
await subscribed(bob.client.channel('scouts').on('postgres_changes', all('scouts'), bobs.take))
await subscribed(master.channel('scouts').on('postgres_changes', all('scouts'), masters.take))
const { data: second } = fine(await ann.client.from('scouts').insert({ title: 'Trains' }).select().single())
const inserted = await anns.next()
assert.deepEqual([inserted.eventType, inserted.new.id, inserted.new.title], ['INSERT', second.id, 'Trains'])
assert.equal(inserted.new.is_active, false)
fine(await ann.client.from('scouts').update({ title: 'Night trains' }).eq('id', second.id))
const updated = await anns.next()
assert.deepEqual([updated.eventType, updated.new.title, updated.old.id], ['UPDATE', 'Night trains', second.id])
fine(await ann.client.from('scouts').delete().eq('id', second.id))
const deleted = await anns.next(({ eventType }) => eventType === 'DELETE')
assert.deepEqual([deleted.old.id, deleted.errors], [second.id, null])
await masters.next(({ eventType }) => eventType === 'DELETE')
assert.equal(bobs.size, 0)
seen('changes')

// A run, as the run page hears of it
const [runs, steps, landing] = [new Heard(), new Heard(), new Heard()]
await subscribed(
  ann.client.channel(`executions-${scout.id}`)
    .on('postgres_changes', all('scout_executions', { filter: `scout_id=eq.${scout.id}` }), runs.take),
)
await subscribed(
  ann.client.channel(`steps-${scout.id}`).on('postgres_changes', all('scout_execution_steps'), steps.take),
)
await subscribed(
  ann.client.channel('scout_executions_changes_section')
    .on('postgres_changes', all('scout_executions', { filter: 'summary_text=not.is.null' }), landing.take),
)
const run = await ask('run', { scout_id: scout.id })
assert.equal((await runs.next()).new.id, run.execution_id)
assert.equal((await steps.next()).new.execution_id, run.execution_id)
assert.equal(landing.size, 0)
await ask('finish', run)
const done = await runs.next(({ eventType }) => eventType === 'UPDATE')
assert.equal(done.new.status, 'completed')
assert.equal((await landing.next()).new.summary_text, 'Nine.')
await runs.next(({ eventType }) => eventType === 'UPDATE') // once more, a second later
const { data: embedded } = fine(
  await ann.client.from('scout_executions')
    .select('id, status, scouts!inner(title)').eq('scout_id', scout.id).order('started_at', { ascending: false }),
)
assert.deepEqual(embedded, [{ id: run.execution_id, status: 'completed', scouts: { title: 'Ferries' } }])
seen('run')

// The panel's churn: the topic is left and joined again without waiting
let channel = ann.client.channel('churn').on('postgres_changes', all('scouts'), () => {})
await subscribed(channel)
let last
for (let turn = 0; turn < 100; turn += 1) {
  ann.client.removeChannel(channel)
  last = new Heard()
  channel = ann.client.channel('churn').on('postgres_changes', all('scouts'), last.take)
  if (turn % 10 === 9) await subscribed(channel)
  else channel.subscribe()
}
fine(await ann.client.from('scouts').update({ title: 'Ferries again' }).eq('id', scout.id))
assert.equal((await last.next()).new.title, 'Ferries again')
seen('churn')

// A new token on the open channels
fine(await ann.client.auth.refreshSession())
await ann.client.realtime.setAuth()
fine(await ann.client.from('scouts').update({ title: 'Ferries for ever' }).eq('id', scout.id))
await last.next(({ new: row }) => row.title === 'Ferries for ever')
seen('refresh')

// Signed out
const nobody = createClient(url, anon)
const silence = new Heard()
await subscribed(nobody.channel('landing').on('postgres_changes', all('scouts'), silence.take))
fine(await ann.client.from('scouts').update({ title: 'Quiet' }).eq('id', scout.id))
await last.next(({ new: row }) => row.title === 'Quiet')
assert.equal(silence.size, 0)
assert.equal(fine(await nobody.from('scouts').select('*')).data.length, 0)
fine(await ann.client.auth.signOut())
assert.equal(fine(await ann.client.from('scouts').select('*')).data.length, 0)
seen('sign-out')
for (const { client } of [ann, bob, { client: master }, { client: nobody }]) await client.removeAllChannels()
hangUp()
