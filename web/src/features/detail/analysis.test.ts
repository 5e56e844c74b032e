import { describe, expect, it } from 'vitest'
import type { Analysis } from '@/api/types'
import { course, hasSpectrogram } from './analysis'

const words = (analysis: Partial<Analysis>) =>
  Object.fromEntries(
    course(analysis as Analysis).map(({ name, word, number }) => [name, `${word} ${number}`.trim()]),
  )

describe('the course of a sound', () => {
  it('says how it comes and goes', () => {
    expect(words({ envelope: { attack: 0.002, decay: 0.24, crest_db: 12 } })).toEqual({
      Attack: 'instant 2 ms',
      Decay: 'short 240 ms',
    })
  })

  it('says where it is silent', () => {
    expect(words({ silence: { start: 0.001, end: 1.5 } })).toEqual({
      'Lead-in': 'none',
      Tail: 'silent 1.50 s',
    })
  })

  it('warns of what vanishes in mono', () => {
    const upsideDown = course({ mono_compatibility: { correlation: -0.9, loss_db: -13 } } as Analysis)
    expect(upsideDown.map(({ word, warn }) => [word, warn])).toEqual([
      ['out of phase', true],
      ['cancels itself out', true],
    ])
    expect(words({ mono_compatibility: { correlation: 1, loss_db: 0 } })).toEqual({
      Stereo: 'as good as mono 1.00',
      'In mono': 'keeps its level 0.0 dB',
    })
  })

  it('is nothing to an older analysis', () => {
    expect(course({ engine_version: '1', mono_compatibility: null } as Analysis)).toEqual([])
  })
})

it('asks for spectrograms only where one was drawn', () => {
  expect(['1', '2', '10'].map((engine_version) => hasSpectrogram({ engine_version } as Analysis))).toEqual([
    false,
    true,
    true,
  ])
})
