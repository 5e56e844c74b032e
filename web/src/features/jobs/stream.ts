/** Live progress: one event stream for the whole app, written into the caches every page reads from. */

import { backgroundPause } from '@/api/allowance'
import { authorizedFetch } from '@/api/client'
import { libraryUrl } from '@/api/config'
import { readEvents } from '@/api/events'
import { keys } from '@/api/keys'
import { pause } from '@/api/pause'
import { Problem, problemFromResponse } from '@/api/problem'
import { queryClient } from '@/api/query'
import type { Job, SampleStatus } from '@/api/types'
import { fetchSample, patchSample, samplesChanged, storeSample } from '@/features/samples'

type JobListener = (job: Job) => void
const listeners = new Set<JobListener>()

export function onJob(listener: JobListener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const SHOWN_AS: Record<Job['status'], SampleStatus | null> = {
  pending: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: null,
}

export const isOver = ({ status }: Job) =>
  status === 'completed' || status === 'failed' || status === 'cancelled'

/** One of thousands that bring a whole library to a newer engine: told of together, and not one by one. */
const RENEWAL = 'reanalyze'

/** Takes news of a job, from the stream or from a poll. */
export function receiveJob(job: Job): void {
  if (job.kind === RENEWAL) {
    receiveRenewal(job)
    return
  }
  queryClient.setQueryData(keys.job(job.sample_id), job)
  for (const listener of listeners) listener(job)
  if (isOver(job)) {
    showEnded(job)
    refreshTotalsSoon()
    return
  }
  const status = SHOWN_AS[job.status]
  if (status) patchSample(job.sample_id, { status })
}

/** A page about this very sample gets the new analysis; a sample that has one stays as it is until then. */
function receiveRenewal(job: Job): void {
  if (job.status === 'completed') void queryClient.invalidateQueries({ queryKey: keys.sample(job.sample_id) })
}

const ONE_BY_ONE = 3
let justAnalysed: string[] = []

/** What came of an analysis is shown at once; of many at a time, only whether, and the lists that follow tell the rest. */
function showEnded({ sample_id: id, status }: Job): void {
  if (justAnalysed.length === 0) setTimeout(() => (justAnalysed = []), TOTALS_PAUSE)
  justAnalysed.push(id)
  const shown = SHOWN_AS[status]
  if (justAnalysed.length <= ONE_BY_ONE || !shown) {
    void fetchSample(id).then(storeSample, () => undefined)
  } else {
    patchSample(id, { status: shown })
    void queryClient.invalidateQueries({ queryKey: keys.sample(id) })
  }
}

const TOTALS_PAUSE = 2000
const LONG_TOTALS_PAUSE = 10_000
let totalsDue = false
let refreshingTotals = false

/**
 * Counts and lists follow two seconds later (ten when little may be asked for), however many jobs end, and never before
 * the last answer is there: a long list takes a while, and asking again would throw away what has come of it.
 */
export function refreshTotalsSoon(): void {
  totalsDue = true
  if (!refreshingTotals) void refreshTotalsWhileDue()
}

async function refreshTotalsWhileDue(): Promise<void> {
  refreshingTotals = true
  try {
    while (totalsDue) {
      await pause(backgroundPause() > 0 ? LONG_TOTALS_PAUSE : TOTALS_PAUSE)
      totalsDue = false
      await samplesChanged()
    }
  } finally {
    refreshingTotals = false
  }
}

const FIRST_WAIT = 1000
const LONGEST_WAIT = 30_000

/** Listens until the signal aborts, and connects again whenever the stream breaks. */
export async function followJobs(signal: AbortSignal): Promise<void> {
  let wait = FIRST_WAIT
  let connectedBefore = false
  while (!signal.aborted) {
    try {
      const request = new Request(libraryUrl('/api/jobs/events'), {
        headers: { Accept: 'text/event-stream' },
        signal,
      })
      const response = await authorizedFetch(request)
      if (!response.ok) throw await problemFromResponse(response)
      // Whatever ended while nobody listened is in the lists, not in the stream.
      if (connectedBefore) void samplesChanged()
      connectedBefore = true
      await readEvents(response, ({ event, data }) => {
        wait = FIRST_WAIT
        if (event === 'job') receiveJob(JSON.parse(data) as Job)
        if (event === 'snapshot') (JSON.parse(data) as { jobs: Job[] }).jobs.forEach(receiveJob)
      })
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Problem && error.status === 401) return
    }
    await pause(wait, signal)
    wait = Math.min(wait * 2, LONGEST_WAIT)
  }
}
