import type { Sample } from '@/api/types'

/** The same list when nothing in it changes: news of running jobs come often, and mostly say nothing new. */
export function patched(samples: Sample[], id: string, change: Partial<Sample>): Sample[] {
  const index = samples.findIndex((sample) => sample.id === id)
  const sample = samples[index]
  if (!sample || Object.entries(change).every(([name, value]) => sample[name as keyof Sample] === value))
    return samples
  return samples.with(index, { ...sample, ...change })
}
