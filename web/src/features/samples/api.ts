import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { fetchBlob, library, ok } from '@/api/client'
import { libraryUrl } from '@/api/config'
import { keys } from '@/api/keys'
import { queryClient } from '@/api/query'
import type {
  Facets,
  Job,
  Link,
  Sample,
  SampleChange,
  SampleDetail,
  SampleQuery,
  Waveform,
} from '@/api/types'
import { stop, usePlayer } from '@/features/player'
import { notify, notifyFailure } from '@/ui/toast'
import { otherListsChanged, patchSample, removeSamples, samplesChanged, storeSample } from './cache'
import { count } from './format'

const PAGE = 100

export function useSamples(query: SampleQuery) {
  return useInfiniteQuery({
    queryKey: keys.sampleList(query),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) =>
      ok(
        await library().GET('/api/samples', {
          params: { query: { ...query, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })
}

export async function fetchSample(id: string, signal?: AbortSignal): Promise<SampleDetail> {
  return ok(await library().GET('/api/samples/{sample_id}', { params: { path: { sample_id: id } }, signal }))
}

export function useSample(id: string) {
  return useQuery({ queryKey: keys.sample(id), queryFn: ({ signal }) => fetchSample(id, signal) })
}

export function useWaveform(id: string, engine: string, points: number, enabled = true) {
  return useQuery<Waveform>({
    queryKey: keys.waveform(id, engine, points),
    queryFn: async ({ signal }) =>
      ok(
        await library().GET('/api/samples/{sample_id}/waveform', {
          params: { path: { sample_id: id }, query: { points } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    throwOnError: false,
    enabled,
  })
}

export function useSpectrogram(id: string, engine: string, enabled: boolean) {
  return useQuery<ImageBitmap>({
    queryKey: keys.spectrogram(id, engine),
    queryFn: async ({ signal }) =>
      createImageBitmap(await fetchBlob(libraryUrl(`/api/samples/${id}/spectrogram`), signal)),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    throwOnError: false,
    enabled,
  })
}

export function useFacets() {
  return useQuery<Facets>({
    queryKey: keys.facets,
    queryFn: async ({ signal }) => ok(await library().GET('/api/facets', { signal })),
    throwOnError: false,
  })
}

async function changeSample(id: string, change: SampleChange): Promise<SampleDetail> {
  return ok(
    await library().PATCH('/api/samples/{sample_id}', { params: { path: { sample_id: id } }, body: change }),
  )
}

/** Corrections, tags, names: shown as soon as the server has taken them. */
export function useChangeSample(id: string) {
  return useMutation({
    mutationFn: (change: SampleChange) => changeSample(id, change),
    onSuccess: (detail) => {
      storeSample(detail)
      otherListsChanged()
      void queryClient.invalidateQueries({ queryKey: keys.facets })
    },
  })
}

/** Shown at once and taken back where the server refuses. */
export async function setFavourite(samples: readonly Sample[], favourite: boolean): Promise<void> {
  const ids = samples.filter((sample) => sample.favourite !== favourite).map(({ id }) => id)
  for (const id of ids) patchSample(id, { favourite })
  const saved = new Set<string>()
  try {
    await inTurns(ids, async (id) => {
      storeSample(await changeSample(id, { favourite }))
      saved.add(id)
    })
  } catch (error) {
    for (const id of ids) if (!saved.has(id)) patchSample(id, { favourite: !favourite })
    notifyFailure(ids.length > 1 ? 'Not every favourite was saved' : 'The favourite was not saved', error)
  }
  otherListsChanged()
}

/** A mixed selection becomes all favourites; only when all are does it become none. */
export function toggleFavourite(samples: readonly Sample[]): Promise<void> {
  return setFavourite(samples, !samples.every(({ favourite }) => favourite))
}

export async function restoreSamples(ids: string[]): Promise<void> {
  try {
    await inTurns(ids, async (id) =>
      ok(await library().POST('/api/samples/{sample_id}/restore', { params: { path: { sample_id: id } } })),
    )
    removeSamples(new Set(ids))
    notify(`${count(ids.length, 'sample')} restored`)
  } catch (error) {
    notifyFailure('Not everything could be restored', error)
  }
  void samplesChanged()
  void queryClient.invalidateQueries({ queryKey: keys.collections })
}

/** Moves samples to the trash at once, with a way back in the toast. */
export async function deleteSamples(samples: readonly Sample[]): Promise<void> {
  const ids = samples.map((sample) => sample.id)
  removeSamples(new Set(ids))
  const playing = usePlayer.getState().sample
  if (playing && ids.includes(playing.id)) stop()
  const gone: string[] = []
  try {
    await inTurns(ids, async (id) => {
      ok(await library().DELETE('/api/samples/{sample_id}', { params: { path: { sample_id: id } } }))
      gone.push(id)
    })
  } catch (error) {
    notifyFailure('Not everything could be deleted', error)
  }
  if (gone.length) {
    const what = samples.length === 1 ? (samples[0]?.name ?? 'Sample') : count(gone.length, 'sample')
    notify(`${what} moved to the trash`, { label: 'Undo', run: () => void restoreSamples(gone) })
  }
  void samplesChanged()
  void queryClient.invalidateQueries({ queryKey: keys.collections })
}

const AT_ONCE = 4

/** Runs the work for every id, a few at a time; the first failure is thrown after the running ones have ended. */
async function inTurns(ids: readonly string[], work: (id: string) => Promise<unknown>): Promise<void> {
  const queue = [...ids]
  async function turn(): Promise<void> {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) await work(id)
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, ids.length) }, turn))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

export function useAnalyseAgain(id: string) {
  return useMutation({
    mutationFn: async (): Promise<Job> =>
      ok(await library().POST('/api/samples/{sample_id}/analyze', { params: { path: { sample_id: id } } })),
    onSuccess: (job) => {
      queryClient.setQueryData(keys.job(id), job)
      patchSample(id, { status: 'pending', deferred: false, error: null, job_id: job.id })
    },
    onError: (error) => notifyFailure('The analysis could not be started', error),
  })
}

async function downloadLink(id: string): Promise<Link> {
  return ok(
    await library().GET('/api/samples/{sample_id}/download/link', { params: { path: { sample_id: id } } }),
  )
}

export async function downloadSample(id: string): Promise<void> {
  try {
    startDownload((await downloadLink(id)).url)
  } catch (error) {
    notifyFailure('The download could not be started', error)
  }
}

/** A signed address needs no token, so the browser itself can save it: nothing passes through memory. */
export function startDownload(url: string): void {
  const anchor = document.createElement('a')
  anchor.href = libraryUrl(url)
  anchor.download = ''
  document.body.append(anchor)
  anchor.click()
  anchor.remove()
}
