import { describe, expect, it } from 'vitest'
import type { Analysis } from '@/api/types'
import {
  centsOff,
  certainty,
  className,
  deviation,
  hints,
  otherClasses,
  otherKeys,
  otherTempi,
  said,
  tempoConfidence,
} from './findings'

const found = {
  bpm: 92,
  confidence: 0.7,
  alternatives: [
    { bpm: 46, confidence: 0.2 },
    { bpm: 61.33, confidence: 0.02 },
    { bpm: 138, confidence: 0.08 },
    { bpm: 184, confidence: 0 },
  ],
}

describe('tempi to choose from', () => {
  it('are ranked, without what is shown, its octaves and what nobody believes', () => {
    expect(otherTempi(found, 92).map(({ bpm }) => bpm)).toEqual([138, 61.33])
  })

  it('have the machine’s own among them once the owner chose another', () => {
    expect(otherTempi(found, 138).map(({ bpm }) => bpm)).toEqual([92, 46, 61.33])
  })

  it('are all there when none is shown, and none when none was found', () => {
    expect(otherTempi(found, null)).toHaveLength(3)
    expect(otherTempi(null, 92)).toEqual([])
  })

  it('know how likely half and double are', () => {
    expect(tempoConfidence(found, 46)).toBe(0.2)
    expect(tempoConfidence(found, 184)).toBeUndefined()
    expect(tempoConfidence(null, 92)).toBeUndefined()
  })
})

describe('keys to choose from', () => {
  const key = {
    key: 'Am',
    camelot: '8A',
    confidence: 0.6,
    alternatives: [
      { key: 'Em', camelot: '9A', confidence: 0.1 },
      { key: 'C', camelot: '8B', confidence: 0.3 },
    ],
  }

  it('are ranked and say what they are to the one shown, whose relatives are always there', () => {
    expect(otherKeys(key, 'Am')).toEqual([
      { key: 'C', confidence: 0.3, relation: 'relative' },
      { key: 'Em', confidence: 0.1, relation: 'fifth' },
      { key: 'A', confidence: undefined, relation: 'parallel' },
    ])
    expect(otherKeys(key, 'F#').map((other) => [other.key, other.relation])).toEqual([
      ['Am', null],
      ['C', null],
      ['Em', null],
      ['D#m', 'relative'],
      ['F#m', 'parallel'],
    ])
  })

  it('are none without a key', () => {
    expect(otherKeys(null, null)).toEqual([])
  })
})

describe('hints', () => {
  const analysis = {
    hints: {
      found: [
        { subject: 'tempo', value: '92.0', source: 'file name' },
        { subject: 'tempo', value: '92', source: 'acid chunk' },
        { subject: 'tempo', value: '120', source: 'ID3' },
        { subject: 'key', value: 'F#m', source: 'file name' },
      ],
    },
  } as unknown as Analysis

  it('are told once each, with all who say so', () => {
    expect(hints(analysis, 'tempo').map(said)).toEqual([
      'The file name and the acid chunk say 92',
      'The ID3 says 120',
    ])
    expect(hints(analysis, 'key').map(said)).toEqual(['The file name says F#m'])
  })

  it('are none in an older analysis', () => {
    expect(hints({} as Analysis, 'tempo')).toEqual([])
  })
})

describe('words', () => {
  it('fit how sure the engine is', () => {
    expect([0.97, 0.8, 0.5, 0.1].map(certainty)).toEqual(['sure', 'fairly sure', 'unsure', 'a guess'])
  })

  it('tell a deviation that can be heard', () => {
    expect([12.4, -30, 2, -4].map(deviation)).toEqual(['12 cents sharp', '30 cents flat', null, null])
    expect(centsOff(42.12)).toBeCloseTo(12)
    expect(centsOff(41.9)).toBeCloseTo(-10)
  })

  it('name classes, also those that are new', () => {
    expect(['kick', 'drum-loop', 'fx', 'gong'].map(className)).toEqual([
      'Kick',
      'Drum loop',
      'Effect',
      'Gong',
    ])
  })

  it('mention the next likely classes', () => {
    const probabilities = { kick: 0.7, tom: 0.2, rim: 0.06, bass: 0.04 }
    expect(otherClasses({ name: 'kick', confidence: 0.7, probabilities })).toEqual([
      ['tom', 0.2],
      ['rim', 0.06],
    ])
    expect(otherClasses({ name: 'kick', confidence: 0.7 })).toEqual([])
  })
})
