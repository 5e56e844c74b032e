/** Every query key in one place, so that what a change makes stale can be seen at once. */
import type { SampleQuery } from './types'

export const keys = {
  samples: ['samples'] as const,
  sampleList: (query: SampleQuery) => ['samples', 'list', query] as const,
  sample: (id: string) => ['samples', 'detail', id] as const,
  /** Drawn anew by every engine, and never differently by the same one. */
  waveform: (id: string, engine: string, points: number) => ['waveform', id, engine, points] as const,
  spectrogram: (id: string, engine: string) => ['spectrogram', id, engine] as const,
  facets: ['facets'] as const,
  collections: ['collections'] as const,
  collection: (id: string) => ['collections', 'detail', id] as const,
  usage: ['usage'] as const,
  reanalysis: ['reanalysis'] as const,
  preferences: ['preferences'] as const,
  factors: ['factors'] as const,
  sessions: ['sessions'] as const,
  activity: ['activity'] as const,
  apiKeys: ['api-keys'] as const,
  exports: ['exports'] as const,
  organizations: ['organizations'] as const,
  members: (id: string) => ['organizations', id, 'members'] as const,
  invitations: (id: string) => ['organizations', id, 'invitations'] as const,
  myInvitations: ['invitations'] as const,
  adminUsers: (q: string, status: string) => ['admin', 'users', q, status] as const,
  adminUser: (id: string) => ['admin', 'users', id] as const,
  adminAudit: (query: object) => ['admin', 'audit', query] as const,
  job: (sampleId: string) => ['job', sampleId] as const,
}
