/** One audio element for the whole app, and the store that says what it is doing. */
import { create } from 'zustand'
import { fetchBlob, library, ok } from '@/api/client'
import { libraryUrl } from '@/api/config'
import { explain } from '@/api/problem'
import { useSession } from '@/api/session'
import type { Sample } from '@/api/types'
import { createPreviewCache } from './preview-cache'
import { syncRate } from './sync'

/** Longer sounds stream from a signed address instead of being fetched whole. */
const LONGEST_BLOB_SECONDS = 60
const BLOB_BUDGET = 64 * 1024 * 1024
const SETTINGS = 'sample-agent.player'

interface Settings {
  loop: boolean
  volume: number
  sync: boolean
  projectBpm: number
}

interface PlayerState extends Settings {
  sample: Sample | null
  state: 'idle' | 'loading' | 'playing' | 'paused' | 'failed'
  error: string | null
  /** The rate in effect: 1 unless synced to the project's tempo. */
  rate: number
}

function savedSettings(): Settings {
  const defaults: Settings = { loop: false, volume: 0.9, sync: false, projectBpm: 90 }
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(SETTINGS) ?? '{}') as Partial<Settings>) }
  } catch {
    return defaults
  }
}

export const usePlayer = create<PlayerState>(() => ({
  ...savedSettings(),
  sample: null,
  state: 'idle',
  error: null,
  rate: 1,
}))

const audio = new Audio()
audio.preservesPitch = true
audio.volume = usePlayer.getState().volume
audio.loop = usePlayer.getState().loop

const previews = createPreviewCache((id) => fetchBlob(libraryUrl(`/api/samples/${id}/preview`)), BLOB_BUDGET)

const isShort = (sample: Sample) => sample.duration !== null && sample.duration <= LONGEST_BLOB_SECONDS

async function addressOf(sample: Sample): Promise<string> {
  if (isShort(sample)) return previews.get(sample.id)
  const link = ok(
    await library().GET('/api/samples/{sample_id}/preview/link', {
      params: { path: { sample_id: sample.id } },
    }),
  )
  return libraryUrl(link.url)
}

let request = 0

/** Plays from the start, or from `fraction` of the way through. */
export async function play(sample: Sample, fraction = 0): Promise<void> {
  if (sample.status !== 'completed') return
  const mine = ++request
  const loaded =
    usePlayer.getState().sample?.id === sample.id &&
    audio.src !== '' &&
    usePlayer.getState().state !== 'failed'
  audio.pause()
  usePlayer.setState({ sample, error: null, ...(loaded ? {} : { state: 'loading' }) })
  try {
    if (!loaded) {
      reportPosition(0)
      const address = await addressOf(sample)
      if (mine !== request) return
      audio.src = address
    }
    applyRate()
    audio.currentTime = fraction * (sample.duration ?? 0)
    await audio.play()
  } catch (error) {
    // A newer request took the element over: its outcome counts, not ours.
    if (mine !== request || (error instanceof DOMException && error.name === 'AbortError')) return
    previews.drop(sample.id)
    usePlayer.setState({ state: 'failed', error: explain(error) })
  }
}

export function pause(): void {
  request++
  audio.pause()
  if (usePlayer.getState().state === 'loading') usePlayer.setState({ state: 'paused' })
}

export function togglePlay(sample?: Sample): void {
  const { state, sample: current } = usePlayer.getState()
  if (sample && sample.id !== current?.id) void play(sample)
  else if (state === 'playing' || state === 'loading') pause()
  else if (current && state === 'paused' && !audio.ended && audio.src)
    void audio.play().catch(() => play(current))
  else if (current) void play(current)
}

/** Takes over what has become known of the sample in the player, such as a corrected tempo. */
export function refreshPlaying(id: string, change: Partial<Sample>): void {
  const { sample } = usePlayer.getState()
  if (sample?.id !== id) return
  usePlayer.setState({ sample: { ...sample, ...change } })
  applyRate()
}

export function stop(): void {
  request++
  audio.pause()
  audio.removeAttribute('src')
  usePlayer.setState({ sample: null, state: 'idle', error: null, rate: 1 })
}

export function seek(fraction: number): void {
  const { sample } = usePlayer.getState()
  if (!sample) return
  const target = Math.min(Math.max(fraction, 0), 1) * length()
  if (Number.isFinite(target)) audio.currentTime = target
  reportPosition(fraction)
}

/** Fetches what the arrow keys may reach next. */
export function prefetch(samples: readonly Sample[]): void {
  for (const sample of samples) {
    if (sample.status === 'completed' && isShort(sample)) previews.get(sample.id).catch(() => undefined)
  }
}

export function changeSettings(change: Partial<Settings>): void {
  usePlayer.setState(change)
  const { loop, volume, sync, projectBpm } = usePlayer.getState()
  localStorage.setItem(SETTINGS, JSON.stringify({ loop, volume, sync, projectBpm }))
  audio.loop = loop
  audio.volume = volume
  applyRate()
}

function applyRate(): void {
  const { sample, sync, projectBpm } = usePlayer.getState()
  const rate = sync && sample && sample.kind !== 'one-shot' ? syncRate(sample.tempo, projectBpm) : 1
  // Setting a source resets playbackRate to the default rate: set both.
  audio.defaultPlaybackRate = rate
  audio.playbackRate = rate
  usePlayer.setState({ rate })
}

function length(): number {
  return Number.isFinite(audio.duration) ? audio.duration : (usePlayer.getState().sample?.duration ?? 0)
}

type PositionListener = (fraction: number, seconds: number) => void
const listeners = new Set<PositionListener>()

/** Follows the playhead without re-rendering: 0 to 1, and seconds. Called at once with where it is. */
export function onPosition(listener: PositionListener): () => void {
  listeners.add(listener)
  const total = length()
  listener(total ? audio.currentTime / total : 0, audio.currentTime)
  return () => listeners.delete(listener)
}

function reportPosition(fraction: number): void {
  for (const listener of listeners) listener(Math.min(fraction, 1), fraction * length())
}

function followPlayhead(): void {
  const total = length()
  if (total) reportPosition(audio.currentTime / total)
  if (!audio.paused) requestAnimationFrame(followPlayhead)
}

audio.addEventListener('playing', () => {
  usePlayer.setState({ state: 'playing', error: null })
  requestAnimationFrame(followPlayhead)
})
audio.addEventListener('pause', () => {
  if (usePlayer.getState().state === 'playing') usePlayer.setState({ state: 'paused' })
})
audio.addEventListener('error', () => {
  const { sample } = usePlayer.getState()
  if (!sample || !audio.src) return
  previews.drop(sample.id)
  usePlayer.setState({ state: 'failed', error: 'This sound could not be played.' })
})
useSession.subscribe(({ status }, before) => {
  if (status === 'signed-out' && before.status === 'signed-in') stop()
})
