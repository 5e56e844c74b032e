import { expect, it } from 'vitest'
import { isCharacterKey, SHORTCUTS, shortcutFor } from './registry'

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})

it('finds a shortcut by its key and modifiers', () => {
  expect(shortcutFor(press('ArrowDown'))).toBe('next')
  expect(shortcutFor(press('J', { shiftKey: true }))).toBe('next')
  expect(shortcutFor(press('ArrowDown', { shiftKey: true }))).toBe('extendDown')
  expect(shortcutFor(press('ArrowDown', { altKey: true }))).toBe('moveDown')
  expect(shortcutFor(press('?', { shiftKey: true }))).toBe('help')
  expect(shortcutFor(press('a', { metaKey: true }))).toBe('selectAll')
  expect(shortcutFor(press('F10', { shiftKey: true }))).toBe('menu')
})

it('leaves the browser’s own combinations alone', () => {
  for (const key of ['f', 'r', 'l', 's', 'j', 'k'])
    expect(shortcutFor(press(key, { ctrlKey: true }))).toBeUndefined()
})

it('gives no key to two shortcuts', () => {
  const all = Object.values(SHORTCUTS).flatMap(({ keys }) => [...keys])
  expect(new Set(all).size).toBe(all.length)
})

it('tells characters, which can be switched off, from other keys', () => {
  expect(isCharacterKey(press('f'))).toBe(true)
  expect(isCharacterKey(press('ArrowDown'))).toBe(false)
  expect(isCharacterKey(press(' '))).toBe(false)
  expect(isCharacterKey(press('a', { ctrlKey: true }))).toBe(false)
})
