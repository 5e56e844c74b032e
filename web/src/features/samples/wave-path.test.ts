import { describe, expect, it } from 'vitest'
import { decode, outline, WAVE_HEIGHT, WAVE_WIDTH, wavePath } from './wave-path'

const encode = (peaks: number[]) => btoa(String.fromCharCode(...peaks))
const points = (path: string) =>
  path
    .slice(1, -1)
    .split('L')
    .map((point) => point.split(' ').map(Number) as [number, number])

describe('a waveform path', () => {
  it('decodes bytes of every value', () => {
    expect([...decode(encode([0, 1, 127, 128, 255]))]).toEqual([0, 1, 127, 128, 255])
  })

  it('goes along the top and back along the bottom, mirrored', () => {
    const drawn = points(outline(Uint8Array.from([255, 128])))
    const [, loud, half, , halfBelow, loudBelow] = drawn
    expect(loud?.[0]).toBe(loudBelow?.[0])
    expect((loud?.[1] ?? 0) + (loudBelow?.[1] ?? 0)).toBeCloseTo(WAVE_HEIGHT)
    expect((half?.[1] ?? 0) + (halfBelow?.[1] ?? 0)).toBeCloseTo(WAVE_HEIGHT)
    expect(loud?.[1]).toBeLessThan(half?.[1] ?? 0)
  })

  it('stays inside its box and spans it whatever the number of peaks', () => {
    for (const length of [1, 7, 128, 500]) {
      const drawn = points(outline(Uint8Array.from({ length }, (_, i) => (i * 37) % 256)))
      expect(Math.max(...drawn.map(([x]) => x))).toBe(WAVE_WIDTH)
      expect(Math.min(...drawn.map(([x]) => x))).toBe(0)
      expect(Math.max(...drawn.map(([, y]) => y))).toBeLessThanOrEqual(WAVE_HEIGHT)
      expect(Math.min(...drawn.map(([, y]) => y))).toBeGreaterThanOrEqual(0)
    }
  })

  it('draws a quiet sample as large as a loud one, but silence as a line', () => {
    const reach = (peaks: number[]) =>
      Math.max(...points(outline(Uint8Array.from(peaks))).map(([, y]) => Math.abs(y - 16)))
    expect(reach([20, 10])).toBeCloseTo(reach([200, 100]))
    expect(reach([0, 0])).toBeGreaterThan(0)
    expect(reach([0, 0])).toBeLessThan(1)
  })

  it('is empty for no peaks and cached for the same ones', () => {
    expect(outline(new Uint8Array())).toBe('')
    const waveform = encode([1, 2, 3])
    expect(wavePath(waveform)).toBe(wavePath(waveform))
  })
})
