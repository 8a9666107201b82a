// A person sets a scout up in the chat, with the AI SDK as the web interface uses it: the tool runs
// here, earlier items go back as ids, and the server is another process at every turn.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const [version, key] = process.argv.slice(2)
const newest = version === 'newest'
const ai = await import(newest ? 'ai-newest' : 'ai')
const { createOpenAI } = await import(newest ? 'openai-newest' : '@ai-sdk/openai')

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const seen = (name) => process.stdout.write(`${JSON.stringify({ seen: name })}\n`)
const restarted = async () => {
  process.stdout.write(`${JSON.stringify({ do: 'restart' })}\n`)
  return JSON.parse((await lines.next()).value)
}

const fields = z.object({
  title: z.string().optional(),
  goal: z.string().optional(),
  description: z.string().optional(),
  location: z
    .object({ city: z.string(), latitude: z.number(), longitude: z.number() })
    .optional(),
  search_queries: z.array(z.string()).max(5).optional(),
  frequency: z.enum(['daily', 'every_3_days', 'weekly']).optional(),
})
let scout = { title: 'New Scout' }
const messages = []

const told = (name, value) => `- ${name}: ${value ?? 'Not set'}`
const prompt = () =>
  [
    'You help to set up scouts.',
    '**Current Scout Status:**',
    told('Title', scout.title),
    told('Goal', scout.goal),
    told('Description', scout.description),
    told('Location', scout.location?.city),
    told('Search Queries', scout.search_queries && JSON.stringify(scout.search_queries)),
    told('Frequency', scout.frequency),
  ].join('\n')

const turn = async (openai, text) => {
  messages.push({ id: `u${messages.length}`, role: 'user', parts: [{ type: 'text', text }] })
  const bodies = []
  const result = ai.streamText({
    model: openai('gpt-4.1-mini'),
    system: prompt(),
    messages: ai.convertToModelMessages(messages.slice(-10)),
    toolChoice: 'auto',
    stopWhen: ai.stepCountIs(5),
    maxRetries: 0,
    onError: ({ error }) => assert.fail(String(error)),
    onStepFinish: ({ request }) => bodies.push(request.body),
    tools: {
      update_scout_config: {
        description: 'Update the scout configuration',
        inputSchema: fields,
        execute: async (params) => {
          scout = { ...scout, ...params }
          return { success: true, completed: null, updatedFields: params }
        },
      },
    },
  })
  let last
  for await (const each of ai.readUIMessageStream({ stream: result.toUIMessageStream() })) {
    last = each
  }
  messages.push({ ...last, id: `a${messages.length}` })
  const said = await result.text
  assert.ok(said, 'the turn ends in words')
  assert.equal(last.parts.at(-1).type, 'text')
  for (const part of last.parts) assert.notEqual(part.state, 'output-error')
  return { said, bodies: JSON.stringify(bodies) }
}

const client = async () => createOpenAI({ baseURL: `${(await restarted()).url}/openai/v1`, apiKey: key })

let openai = await client()
await turn(openai, 'Concerts in Bonn')
assert.ok(scout.goal)
assert.match(scout.location.city, /Bonn/)
seen('wish')

openai = await client()
const second = await turn(openai, 'every week please')
assert.equal(scout.frequency, 'weekly')
assert.match(second.bodies, /item_reference/)
seen('rhythm')

openai = await client()
const third = await turn(openai, 'Thanks')
assert.match(third.bodies, /"fc_[0-9a-f]{32}"/)
assert.match(third.bodies, /"msg_[0-9a-f]{32}"/)
seen('thanks')

const words = await ai.generateText({ model: openai.chat('gpt-4o'), prompt: 'Hello', maxRetries: 0 })
assert.ok(words.text)
const whole = await ai.generateText({ model: openai('gpt-4o'), prompt: 'Hello', maxRetries: 0 })
assert.ok(whole.text)
const { embeddings } = await ai.embedMany({
  model: openai.textEmbeddingModel('text-embedding-3-small'),
  values: ['one', 'two'],
})
assert.equal(embeddings.length, 2)
assert.equal(embeddings[0].length, embeddings[1].length)
seen('other endpoints')

const stranger = createOpenAI({ baseURL: `${(await restarted()).url}/openai/v1`, apiKey: 'sk-another' })
await assert.rejects(
  ai.generateText({ model: stranger('gpt-4o'), prompt: 'Hello', maxRetries: 0 }),
  (error) => error.statusCode === 401 && /API key/.test(error.message),
)
seen('another key')
process.exit(0)
