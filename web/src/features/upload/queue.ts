/** The upload queue. It belongs to no page, so uploads go on while people move about. */
import { create } from 'zustand'
import { backgroundPause } from '@/api/allowance'
import { keys } from '@/api/keys'
import { pause } from '@/api/pause'
import { explain, isTemporary, Problem } from '@/api/problem'
import { queryClient } from '@/api/query'
import { useSession } from '@/api/session'
import type { Job, Usage } from '@/api/types'
import { cancelJob, fetchJob, isOver, onJob, receiveJob, refreshTotalsSoon, retryJob } from '@/features/jobs'
import { bytes } from '@/features/samples'
import type { Found, FoundFile } from './found-files'
import { sendFile } from './send'

export type UploadState = 'queued' | 'sending' | 'analysing' | 'done' | 'duplicate' | 'failed' | 'cancelled'

export interface Upload {
  id: string
  found: FoundFile
  state: UploadState
  /** 0 to 1, of sending or of the analysis. */
  progress: number
  step: string
  error: string | null
  sampleId: string | null
  jobId: string | null
}

interface Queue {
  uploads: Upload[]
  skipped: number
}

export const useUploads = create<Queue>(() => ({ uploads: [], skipped: 0 }))

const AT_ONCE = 3
const TRIES = 5
const cancels = new Map<string, AbortController>()
let sending = 0

export function enqueue({ files, skipped }: Found): void {
  const uploads = files.map(
    (found): Upload => ({
      id: crypto.randomUUID(),
      found,
      state: 'queued',
      progress: 0,
      step: '',
      error: null,
      sampleId: null,
      jobId: null,
    }),
  )
  useUploads.setState((queue) => ({
    uploads: [...queue.uploads, ...uploads],
    skipped: queue.skipped + skipped,
  }))
  pump()
}

function change(id: string, what: Partial<Upload>): void {
  useUploads.setState(({ uploads }) => ({
    uploads: uploads.map((upload) => (upload.id === id ? { ...upload, ...what } : upload)),
  }))
}

function pump(): void {
  while (sending < AT_ONCE) {
    const next = useUploads.getState().uploads.find(({ state }) => state === 'queued')
    if (!next) return
    sending++
    void send(next).finally(() => {
      sending--
      pump()
    })
  }
}

async function send(upload: Upload): Promise<void> {
  const { id, found } = upload
  const limit = queryClient.getQueryData<Usage>(keys.usage)?.max_file_bytes
  if (limit && found.file.size > limit) {
    return change(id, { state: 'failed', error: `The file is larger than ${bytes(limit)}.` })
  }
  const cancel = new AbortController()
  cancels.set(id, cancel)
  change(id, { state: 'sending', progress: 0, error: null })
  try {
    const sent = await sendPatiently(upload, cancel.signal)
    // Sent before, and its answer lost: the analysis may be over by now.
    const failed = sent.status === 'failed' && !sent.duplicate
    if (sent.duplicate) change(id, { state: 'duplicate', sampleId: sent.sample_id, progress: 1 })
    else {
      change(id, {
        state: sent.status === 'completed' || sent.deferred ? 'done' : 'analysing',
        sampleId: sent.sample_id,
        jobId: sent.job_id,
        progress: 0,
      })
      heard.set(id, Date.now())
      if (failed && sent.job_id) void fetchJob(sent.job_id).then(receiveJob, () => undefined)
      refreshTotalsSoon()
    }
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError'
    change(id, cancelled ? { state: 'cancelled' } : { state: 'failed', error: explain(error) })
  } finally {
    cancels.delete(id)
  }
}

/** Sends when there is room for it, and again after what may pass by itself: no answer, an outage, too many at once. */
async function sendPatiently({ id, found }: Upload, signal: AbortSignal) {
  let shownAt = 0
  let failures = 0
  for (let attempt = 1; ; attempt++) {
    await waitFor(backgroundPause, id, 'Waiting for room in this minute', signal)
    try {
      return await sendFile(found, {
        idempotencyKey: id,
        signal,
        onProgress: (progress) => {
          if (progress < 1 && Date.now() - shownAt < 100) return
          shownAt = Date.now()
          change(id, { progress })
        },
      })
    } catch (error) {
      const quota = error instanceof Problem && error.code.includes('quota')
      const tooMany = error instanceof Problem && error.code === 'rate-limited'
      if (!tooMany) failures++
      if (failures === TRIES || quota || !isTemporary(error)) throw error
      const seconds =
        error instanceof Problem && error.retryAfter ? error.retryAfter : Math.min(2 ** attempt, 60)
      const until = Date.now() + seconds * 1000
      change(id, { progress: 0 })
      await waitFor(() => until - Date.now(), id, tooMany ? 'Going on' : 'Trying again', signal)
    }
  }
}

/** Waits while `left` gives milliseconds, and says at the upload what for and how long. */
async function waitFor(left: () => number, id: string, what: string, signal: AbortSignal): Promise<void> {
  for (let wait = left(); wait > 0; wait = left()) {
    change(id, { step: `${what}: ${Math.ceil(wait / 1000)} s` })
    await pause(Math.min(wait, 1000), signal)
    signal.throwIfAborted()
  }
  change(id, { step: '' })
}

/** When each analysis was last heard of, so that silence is noticed. */
const heard = new Map<string, number>()

function followJob(job: Job): void {
  // A duplicate points at the same sample, but the job is not its own.
  const upload = useUploads
    .getState()
    .uploads.find(
      ({ jobId, sampleId, state }) =>
        state !== 'duplicate' && (jobId === job.id || sampleId === job.sample_id),
    )
  if (!upload) return
  heard.set(upload.id, Date.now())
  if (job.status === 'completed') change(upload.id, { state: 'done', progress: 1, error: null })
  else if (job.status === 'failed')
    change(upload.id, { state: 'failed', error: job.error?.message ?? 'The analysis failed.' })
  else if (job.status === 'cancelled') change(upload.id, { state: 'cancelled' })
  else
    change(upload.id, {
      state: 'analysing',
      progress: job.progress / 100,
      step: job.step,
      jobId: job.id,
      error: null,
    })
}
onJob(followJob)

const SILENCE = 8000
const CHECK_EVERY = 4000
const CHECK_AT_ONCE = 5

/** Asks about analyses the event stream has been silent on, so that a broken stream leaves nothing hanging. */
setInterval(() => {
  const silent = useUploads
    .getState()
    .uploads.filter(({ state, id }) => state === 'analysing' && Date.now() - (heard.get(id) ?? 0) > SILENCE)
  for (const { id, jobId } of silent.slice(0, CHECK_AT_ONCE)) {
    heard.set(id, Date.now())
    if (jobId) void fetchJob(jobId).then(receiveJob, () => undefined)
  }
}, CHECK_EVERY)

export function cancelUpload(upload: Upload): void {
  cancels.get(upload.id)?.abort()
  if (upload.state === 'queued') change(upload.id, { state: 'cancelled' })
  if (upload.state === 'analysing' && upload.jobId) {
    void cancelJob(upload.jobId).then(receiveJob, (error: unknown) =>
      change(upload.id, { error: explain(error) }),
    )
  }
}

export function retryUpload(upload: Upload): void {
  if (upload.jobId) {
    change(upload.id, { state: 'analysing', progress: 0, error: null })
    void retryJob(upload.jobId).then(
      (job) => {
        change(upload.id, { jobId: job.id })
        if (!isOver(job)) receiveJob(job)
      },
      (error: unknown) => change(upload.id, { state: 'failed', error: explain(error) }),
    )
    return
  }
  change(upload.id, { state: 'queued', progress: 0, error: null })
  pump()
}

export function retryFailed(): void {
  for (const upload of useUploads.getState().uploads) if (upload.state === 'failed') retryUpload(upload)
}

export function cancelAll(): void {
  for (const upload of useUploads.getState().uploads) {
    if (upload.state === 'queued' || upload.state === 'sending') cancelUpload(upload)
  }
}

export function clearFinished(): void {
  useUploads.setState(({ uploads }) => ({ uploads: uploads.filter(isOngoing), skipped: 0 }))
}

export function isOngoing({ state }: Upload): boolean {
  return state === 'queued' || state === 'sending' || state === 'analysing'
}

window.addEventListener('beforeunload', (event) => {
  if (useUploads.getState().uploads.some(({ state }) => state === 'queued' || state === 'sending'))
    event.preventDefault()
})

useSession.subscribe(({ status }, before) => {
  if (status !== 'signed-out' || before.status !== 'signed-in') return
  cancelAll()
  useUploads.setState({ uploads: [], skipped: 0 })
})
