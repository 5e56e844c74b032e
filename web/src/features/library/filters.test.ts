import { describe, expect, it } from 'vitest'
import { readSearch, writeSearch } from '@/app/search-params'
import { activeFilters, type Filters, parseFilters, toQuery } from './filters'

const FULL: Filters = {
  q: 'dusty rhodes -vocal',
  kind: 'loop',
  tempo_min: 80,
  tempo_max: 92.5,
  tempo_multiples: true,
  key: 'F#m',
  key_compatible: true,
  duration_min: 0.5,
  duration_max: 10,
  tag: 'lo-fi & soul',
  favourite: true,
  status: 'completed',
  sort: '-tempo',
}

describe('filters in the address', () => {
  it('come back from the address as they went in', () => {
    expect(parseFilters(readSearch(writeSearch({ ...FULL })))).toEqual(FULL)
  })

  it('keep a search that looks like a number or a truth value as text', () => {
    for (const q of ['909', 'true', '-808', 'a=b&c', 'für élise', '100%']) {
      expect(parseFilters(readSearch(writeSearch({ q })))).toEqual({ q })
    }
  })

  it('leave the address bare when there are none', () => {
    expect(writeSearch({ ...parseFilters({}) })).toBe('')
    expect(writeSearch({ favourite: false, sort: undefined, q: '' })).toBe('')
  })

  it('are dropped one by one when they make no sense', () => {
    const search = {
      kind: 'gong',
      tempo_min: 'fast',
      tempo_max: '-3',
      key: 'H',
      status: 'odd',
      sort: 'mood',
      favourite: '1',
    }
    expect(parseFilters({ ...search, tag: 'soul' })).toEqual({ tag: 'soul' })
  })

  it('never ask for what the API refuses', () => {
    const search = { tempo_min: '5', tempo_max: '900', q: 'x'.repeat(300), tag: 'y'.repeat(60) }
    expect(parseFilters(search)).toEqual({ q: 'x'.repeat(200), tag: 'y'.repeat(40) })
  })

  it('drop what only goes with another filter when that is gone', () => {
    expect(parseFilters({ tempo_multiples: 'true', key_compatible: 'true' })).toEqual({})
  })

  it('do not name the sort order everyone starts with', () => {
    expect(parseFilters({ sort: '-created_at' })).toEqual({})
    expect(toQuery({}).sort).toBe('-created_at')
  })
})

describe('active filters', () => {
  it('say in words what is in effect', () => {
    expect(activeFilters(FULL).map(({ label }) => label)).toEqual([
      '“dusty rhodes -vocal”',
      'Loops',
      '80–92.5 BPM · ½ ×2',
      'Mixes with F#m',
      '0.5–10 s',
      'Tag lo-fi & soul',
      'Favourites',
      'Analysed',
    ])
  })

  it('can each be taken away, and then nothing is left but the order', () => {
    const left = Object.assign({}, FULL, ...activeFilters(FULL).map(({ without }) => without)) as Filters
    expect(parseFilters({ ...left })).toEqual({ sort: '-tempo' })
  })
})
