import { expect, it } from 'vitest'
import { ALL_KEYS, compatibleKeys, relation, wheelKey } from './music'

it('has every key on the wheel once, minor on A and major on B', () => {
  expect(new Set(ALL_KEYS.map(({ key }) => key)).size).toBe(24)
  expect(new Set(ALL_KEYS.map(({ camelot }) => camelot)).size).toBe(24)
  expect(wheelKey('Am')?.camelot).toBe('8A')
  expect(wheelKey('C')?.camelot).toBe('8B')
  expect(wheelKey('F#m')?.camelot).toBe('11A')
})

it('mixes a key with its relative and its neighbours, round the corner too', () => {
  expect(compatibleKeys('Am').sort()).toEqual(['Am', 'C', 'Dm', 'Em'])
  expect(compatibleKeys('E').sort()).toEqual(['A', 'B', 'C#m', 'E'])
  expect(compatibleKeys('G#m').sort()).toEqual(['B', 'C#m', 'D#m', 'G#m'])
  expect(compatibleKeys('H')).toEqual([])
})

it('names what one key is to another', () => {
  expect(relation('Am', 'C')).toBe('relative')
  expect(relation('C', 'Am')).toBe('relative')
  expect(relation('Am', 'A')).toBe('parallel')
  expect(relation('F#', 'F#m')).toBe('parallel')
  expect(relation('Am', 'Em')).toBe('fifth')
  expect(relation('B', 'E')).toBe('fifth')
  expect(relation('Am', 'F#')).toBeNull()
  expect(relation('Am', 'Am')).toBeNull()
})
