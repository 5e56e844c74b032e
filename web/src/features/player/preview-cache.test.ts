import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPreviewCache } from './preview-cache'

let made = 0
const revoked: string[] = []

beforeEach(() => {
  vi.spyOn(URL, 'createObjectURL').mockImplementation(() => `blob:${++made}`)
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => void revoked.push(url))
})
afterEach(() => {
  vi.restoreAllMocks()
  revoked.length = 0
})

const sized = (size: number) => new Blob([new Uint8Array(size)])

it('fetches a sound once, however often and however soon it is asked for', async () => {
  const load = vi.fn(async () => sized(10))
  const cache = createPreviewCache(load, 100)
  const [first, second] = await Promise.all([cache.get('a'), cache.get('a')])
  expect(first).toBe(second)
  expect(await cache.get('a')).toBe(first)
  expect(load).toHaveBeenCalledTimes(1)
})

it('lets the least recently heard go when its memory is full', async () => {
  const load = vi.fn(async () => sized(40))
  const cache = createPreviewCache(load, 100)
  const a = await cache.get('a')
  const b = await cache.get('b')
  expect(await cache.get('a')).toBe(a)
  await cache.get('c')
  expect(revoked).toEqual([b])
  await cache.get('a')
  expect(load).toHaveBeenCalledTimes(3)
})

it('tries again after a failure', async () => {
  const load = vi
    .fn<() => Promise<Blob>>()
    .mockRejectedValueOnce(new Error('away'))
    .mockResolvedValue(sized(1))
  const cache = createPreviewCache(load, 100)
  await expect(cache.get('a')).rejects.toThrow('away')
  await expect(cache.get('a')).resolves.toMatch(/^blob:/)
})
