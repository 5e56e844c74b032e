import { expect, it } from 'vitest'
import { octavePlaces } from './octaves'

it('puts frequencies at even distances, the low ones at the bottom', () => {
  const places = octavePlaces(44_100).map(({ place }) => place)
  expect(places).toHaveLength(3)
  const [low, middle, high] = places as [number, number, number]
  expect(low - middle).toBeCloseTo(middle - high)
  expect(low).toBeGreaterThan(0.8)
  expect(high).toBeGreaterThan(0.05)
})

it('leaves out what a low sample rate does not reach', () => {
  expect(octavePlaces(8000).map(({ label }) => label)).toEqual(['100 Hz', '1 kHz'])
})
