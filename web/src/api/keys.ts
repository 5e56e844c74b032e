/** Every query key in one place, so that what a change makes stale can be seen at once. */
import type { SampleQuery } from './types'

export const keys = {
  samples: ['samples'] as const,
  sampleList: (query: SampleQuery) => ['samples', 'list', query] as const,
  sample: (id: string) => ['samples', 'detail', id] as const,
  waveform: (id: string, points: number) => ['waveform', id, points] as const,
  facets: ['facets'] as const,
  collections: ['collections'] as const,
  collection: (id: string) => ['collections', 'detail', id] as const,
  usage: ['usage'] as const,
  job: (sampleId: string) => ['job', sampleId] as const,
}
