// The session of a server-rendered page: kept in cookies, read by the next request.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServerClient } from '@supabase/ssr'
import { hangUp, seen } from './talk.mjs'

const [, , url, anon] = process.argv
const jar = new Map()
const request = () =>
  createServerClient(url, anon, {
    cookies: {
      getAll: () => [...jar].map(([name, value]) => ({ name, value })),
      setAll: (cookies) => {
        for (const { name, value } of cookies) value ? jar.set(name, value) : jar.delete(name)
      },
    },
  })

const email = `someone-${randomUUID()}@example.org`
const signedUp = await request().auth.signUp({ email, password: 'seven-green-otters' })
assert.equal(signedUp.error, null)
// One cookie, not in pieces; the library leaves what it had prepared for a mailed link beside it.
assert.deepEqual([...jar.keys()].sort(), ['sb-127-auth-token', 'sb-127-auth-token-code-verifier'])
assert.ok(jar.get('sb-127-auth-token').length < 3180)
seen('cookie')

const next = request()
const { data: { user } } = await next.auth.getUser()
assert.equal(user.email, email)
const written = await next.from('scouts').insert({ title: 'Ferries' }).select('user_id').single()
assert.equal(written.data.user_id, user.id)
seen('next request')

const refreshed = await request().auth.refreshSession()
assert.equal(refreshed.error, null)
assert.equal((await request().auth.getUser()).data.user.id, user.id)
seen('refresh')

const out = request()
assert.equal((await out.auth.signOut()).error, null)
assert.equal((await request().auth.getUser()).data.user, null)
assert.equal(jar.size, 0)
seen('sign-out')
hangUp()
