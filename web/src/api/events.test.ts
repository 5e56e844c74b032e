import { describe, expect, it } from 'vitest'
import { eventParser, readEvents, type ServerEvent } from './events'

const STREAM =
  ': ping\n\nevent: snapshot\r\ndata: {"jobs":\r\ndata: []}\r\n\r\nevent: job\ndata: 1\n\nid: 7\ndata:two\n\nevent: only\n\n'
const EXPECTED: ServerEvent[] = [
  { event: 'snapshot', data: '{"jobs":\n[]}' },
  { event: 'job', data: '1' },
  { event: 'message', data: 'two' },
]

describe('an event stream', () => {
  it('is read the same however it is cut up', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parse = eventParser()
      const found: ServerEvent[] = []
      for (let i = 0; i < STREAM.length; i += size) found.push(...parse(STREAM.slice(i, i + size)))
      expect(found).toEqual(EXPECTED)
    }
  })

  it('holds back an event that has not ended', () => {
    const parse = eventParser()
    expect(parse('data: half')).toEqual([])
    expect(parse(' way\n')).toEqual([])
    expect(parse('\n')).toEqual([{ event: 'message', data: 'half way' }])
  })

  it('keeps letters together that were cut in the middle of their bytes', async () => {
    const bytes = new TextEncoder().encode('data: café ♯\n\n')
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const found: ServerEvent[] = []
    await readEvents(new Response(stream), (event) => found.push(event))
    expect(found).toEqual([{ event: 'message', data: 'café ♯' }])
  })
})
