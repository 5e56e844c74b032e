import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backgroundPause, noteAllowance } from './allowance'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const said = (left: number, seconds = 80, rule = 'account') =>
  new Headers({ RateLimit: `"${rule}";r=${left};t=${seconds}`, 'RateLimit-Policy': `"${rule}";q=100;w=60` })

test('work in the background waits while less than a quarter is left', () => {
  noteAllowance(said(25))
  expect(backgroundPause()).toBe(0)
  noteAllowance(said(24))
  expect(backgroundPause()).toBe(40_000)
  vi.advanceTimersByTime(39_000)
  expect(backgroundPause()).toBe(1_000)
  vi.advanceTimersByTime(2_000)
  expect(backgroundPause()).toBe(0)
})

test('it goes on as soon as an answer says that there is enough again', () => {
  noteAllowance(said(3))
  noteAllowance(said(60))
  expect(backgroundPause()).toBe(0)
})

test('an answer that says nothing of the account changes nothing', () => {
  noteAllowance(said(3))
  noteAllowance(new Headers())
  noteAllowance(said(900, 60, 'media'))
  expect(backgroundPause()).toBe(40_000)
})
