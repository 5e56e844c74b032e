/** Changes to samples that are already on screen, written straight into the cached lists and details. */
import type { InfiniteData } from '@tanstack/react-query'
import { keys } from '@/api/keys'
import { queryClient } from '@/api/query'
import type { Sample, SampleDetail, SamplePage } from '@/api/types'
import { refreshPlaying } from '@/features/player'
import { patched } from './patched'

type Pages = InfiniteData<SamplePage, string | null>

function editLists(edit: (samples: Sample[]) => Sample[]): void {
  queryClient.setQueriesData<Pages>({ queryKey: [...keys.samples, 'list'] }, (data) => {
    if (!data) return data
    let gone = 0
    let changed = false
    const pages = data.pages.map((page) => {
      const samples = edit(page.samples)
      if (samples === page.samples) return page
      changed = true
      gone += page.samples.length - samples.length
      return { ...page, samples }
    })
    if (!changed) return data
    return { ...data, pages: gone ? pages.map((page) => ({ ...page, total: page.total - gone })) : pages }
  })
}

export function patchSample(id: string, change: Partial<Sample>): void {
  editLists((samples) => patched(samples, id, change))
  queryClient.setQueryData<SampleDetail>(keys.sample(id), (detail) => detail && { ...detail, ...change })
  refreshPlaying(id, change)
}

/** Puts a fresh detail everywhere the sample is shown. */
export function storeSample(detail: SampleDetail): void {
  const { analysis: _analysis, collections: _collections, job: _job, ...summary } = detail
  patchSample(detail.id, summary)
  queryClient.setQueryData<SampleDetail>(keys.sample(detail.id), detail)
}

export function removeSamples(ids: ReadonlySet<string>): void {
  editLists((samples) =>
    samples.some((sample) => ids.has(sample.id)) ? samples.filter((sample) => !ids.has(sample.id)) : samples,
  )
}

/** Other filters may hold these samples now, or no longer: their lists are asked for anew when they are next shown. */
export function otherListsChanged(): void {
  void queryClient.invalidateQueries({ queryKey: [...keys.samples, 'list'], refetchType: 'none' })
}

/** Asks anew for what is on screen; done when the answers are there. */
export async function samplesChanged(): Promise<void> {
  const stale = [[...keys.samples, 'list'], keys.facets, keys.usage]
  await Promise.all(stale.map((queryKey) => queryClient.invalidateQueries({ queryKey })))
}
