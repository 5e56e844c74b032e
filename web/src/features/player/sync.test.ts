import { expect, it } from 'vitest'
import { syncRate } from './sync'

it('brings a sample to the project’s tempo', () => {
  expect(syncRate(100, 90)).toBeCloseTo(0.9)
  expect(syncRate(90, 90)).toBe(1)
})

it('takes half or double time for the same tempo, whichever stretches least', () => {
  expect(syncRate(170, 90)).toBeCloseTo(180 / 170)
  expect(syncRate(60, 120)).toBe(1)
  expect(syncRate(140, 70)).toBe(1)
})

it('never stretches by more than half an octave for tempos in the usual range', () => {
  for (let sample = 60; sample <= 160; sample += 3) {
    for (let project = 60; project <= 160; project += 7) {
      expect(Math.abs(Math.log2(syncRate(sample, project)))).toBeLessThanOrEqual(0.5)
    }
  }
})

it('leaves what has no tempo alone, and stays within what browsers play', () => {
  expect(syncRate(null, 90)).toBe(1)
  expect(syncRate(0, 90)).toBe(1)
  expect(syncRate(100, 0)).toBe(1)
  expect(syncRate(20, 300)).toBe(4)
})
