/** Server-sent events read from a fetch stream, because EventSource cannot send a token. */

export interface ServerEvent {
  event: string
  data: string
}

/** Cuts a stream of text into events; chunks may end anywhere, even inside a line ending. */
export function eventParser(): (chunk: string) => ServerEvent[] {
  let buffer = ''
  let event = ''
  let data: string[] = []

  function line(text: string, out: ServerEvent[]): void {
    if (text === '') {
      if (data.length) out.push({ event: event || 'message', data: data.join('\n') })
      event = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }

  return (chunk) => {
    buffer += chunk
    const out: ServerEvent[] = []
    let start = 0
    for (let i = 0; i < buffer.length; i++) {
      const char = buffer[i]
      if (char !== '\n' && char !== '\r') continue
      // A lone \r at the very end may be half of \r\n: wait for more.
      if (char === '\r' && i === buffer.length - 1) break
      line(buffer.slice(start, i), out)
      if (char === '\r' && buffer[i + 1] === '\n') i++
      start = i + 1
    }
    buffer = buffer.slice(start)
    return out
  }
}

/** Calls `onEvent` until the stream ends or the signal aborts. */
export async function readEvents(response: Response, onEvent: (event: ServerEvent) => void): Promise<void> {
  if (!response.body) return
  const parse = eventParser()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    for (const event of parse(value)) onEvent(event)
  }
}
