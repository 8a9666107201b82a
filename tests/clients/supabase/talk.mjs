// What a script has in common with its test: one line of JSON out, one in.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export const seen = (name) => process.stdout.write(`${JSON.stringify({ seen: name })}\n`)

export const ask = async (what, more = {}) => {
  process.stdout.write(`${JSON.stringify({ do: what, ...more })}\n`)
  return JSON.parse((await lines.next()).value)
}

export const hangUp = () => process.exit(0)

// Collects what comes, and hands it out in order; `none` sees that nothing came.
export class Heard {
  #items = []
  #waiting = null

  take = (item) => {
    this.#items.push(item)
    this.#waiting?.()
  }

  async next(wanted = () => true, seconds = 10) {
    const until = Date.now() + seconds * 1000
    for (;;) {
      const at = this.#items.findIndex(wanted)
      if (at >= 0) return this.#items.splice(at, 1)[0]
      const left = until - Date.now()
      if (left <= 0) throw new Error(`nothing came; there was ${JSON.stringify(this.#items)}`)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting = () => (clearTimeout(timer), resolve())
      })
    }
  }

  get size() {
    return this.#items.length
  }
}

// Subscribes, and waits until the library says so.
export const subscribed = (channel) =>
  new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      if (status === 'CHANNEL_ERROR' || status === 'TIMED_OUT') reject(error ?? new Error(status))
    })
  })
