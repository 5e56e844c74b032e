import { describe, expect, it } from 'vitest'
import type { Reanalysis, ReanalysisState } from '@/api/types'
import { ended, standing } from './standing'

const latest: Reanalysis = {
  id: 'r',
  engine_version: '2',
  total: 1204,
  done: 312,
  failed: 0,
  active: true,
  cancelled: false,
  created_at: '2026-01-01T00:00:00Z',
}
const state = (more: Partial<ReanalysisState>): ReanalysisState => ({
  engine_version: '2',
  outdated: 1204,
  latest: null,
  ...more,
})

describe('how a library stands', () => {
  it('is nothing to speak of while nothing is known, and when all is of the present engine', () => {
    expect(standing(undefined, null).is).toBe('current')
    expect(standing(state({ outdated: 0 }), null).is).toBe('current')
  })

  it('is offered to be improved, once for each version of the engine', () => {
    expect(standing(state({}), null)).toEqual({
      is: 'outdated',
      title: 'An improved analysis is ready for 1,204 samples',
      action: 'Analyse again',
    })
    expect(standing(state({}), '2').is).toBe('current')
    expect(standing(state({ engine_version: '3' }), '2').is).toBe('outdated')
  })

  it('shows how far it is, also to who did not want it here', () => {
    expect(standing(state({ latest: { ...latest, failed: 2 } }), '2')).toEqual({
      is: 'running',
      title: 'Analysing again: 312 of 1,204 samples',
      detail: '2 keep their earlier analysis',
      value: 312 / 1204,
      left: 892,
    })
  })

  it('can be gone on with after it was stopped', () => {
    const stopped = { ...latest, active: false, cancelled: true }
    expect(standing(state({ outdated: 892, latest: stopped }), null)).toMatchObject({
      title: 'The analysis was stopped: 892 samples left',
      action: 'Go on',
    })
    expect(standing(state({ engine_version: '3', latest: stopped }), null)).toMatchObject({
      action: 'Analyse again',
    })
  })
})

it('says at the end what came of it', () => {
  expect(ended({ ...latest, failed: 0 })).toBe('1,204 samples analysed again')
  expect(ended({ ...latest, failed: 1 })).toBe('1,203 samples analysed again, 1 keeps its earlier analysis')
})
