import { describe, expect, it } from 'vitest'
import { closest, columns, shifted, wantsFiner, zoomed } from './waveform-columns'

const minimum = [-1, -0.5, -0.2, -0.1]
const maximum = [1, 0.5, 0.2, 0.1]

describe('pixel columns', () => {
  it('keep every peak when there are more peaks than pixels', () => {
    const { low, high } = columns(minimum, maximum, { start: 0, end: 1 }, 2)
    expect([...high]).toEqual([1, expect.closeTo(0.2)])
    expect([...low]).toEqual([-1, expect.closeTo(-0.2)])
  })

  it('follow a line between peaks when there are fewer', () => {
    const { high } = columns(minimum, maximum, { start: 0, end: 0.5 }, 8)
    expect([...high]).toEqual([...high].sort((a, b) => b - a))
    expect(Math.max(...high)).toBeLessThanOrEqual(1)
    expect(new Set(high).size).toBeGreaterThan(2)
  })
})

describe('the range in view', () => {
  it('keeps the point zoomed at where it is', () => {
    const { start, end } = zoomed({ start: 0, end: 1 }, 0.5, 0.25, 1 / 32)
    expect((0.25 - start) / (end - start)).toBeCloseTo(0.25)
    expect(end - start).toBeCloseTo(0.5)
  })

  it('never leaves the sample nor comes closer than it may', () => {
    expect(zoomed({ start: 0.9, end: 1 }, 20, 0.95, 1 / 32)).toEqual({ start: 0, end: 1 })
    const close = zoomed({ start: 0.5, end: 0.54 }, 0.001, 0.5, 1 / 32)
    expect(close.end - close.start).toBeCloseTo(1 / 32)
    expect(shifted({ start: 0.2, end: 0.4 }, 5)).toEqual({ start: 0.8, end: 1 })
    expect(shifted({ start: 0.2, end: 0.4 }, -5).start).toBe(0)
  })
})

it('finer peaks are wanted as soon as half is in view, and allow to come eight times as close', () => {
  expect([1, 0.51, 0.5, 0.01].map((end) => wantsFiner({ start: 0, end }))).toEqual([false, false, true, true])
  expect(closest(2048) / closest(16_384)).toBe(8)
})
