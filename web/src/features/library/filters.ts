/** What the library is narrowed to. It lives in the address, under the API's own names, so a search can be shared. */
import type { Kind, SampleQuery, SampleStatus } from '@/api/types'
import { isKey } from '@/features/samples/music'

export const SORTS = [
  { value: '-created_at', label: 'Newest' },
  { value: 'created_at', label: 'Oldest' },
  { value: 'name', label: 'Name A–Z' },
  { value: '-name', label: 'Name Z–A' },
  { value: 'tempo', label: 'Slowest' },
  { value: '-tempo', label: 'Fastest' },
  { value: 'key', label: 'Key' },
  { value: '-key', label: 'Key, backwards' },
  { value: 'duration', label: 'Shortest' },
  { value: '-duration', label: 'Longest' },
  { value: '-loudness', label: 'Loudest' },
  { value: 'loudness', label: 'Quietest' },
  { value: '-size', label: 'Largest file' },
  { value: 'size', label: 'Smallest file' },
] as const

export type Sort = (typeof SORTS)[number]['value']
export const DEFAULT_SORT: Sort = '-created_at'

export interface Filters {
  q?: string
  kind?: Kind
  tempo_min?: number
  tempo_max?: number
  tempo_multiples?: boolean
  key?: string
  key_compatible?: boolean
  duration_min?: number
  duration_max?: number
  tag?: string
  favourite?: boolean
  status?: SampleStatus
  sort?: Sort
}

/** What the API takes. */
export const SLOWEST = 20
export const FASTEST = 400
export const LONGEST_SEARCH = 200
const LONGEST_TAG = 40

const KIND_VALUES: readonly Kind[] = ['one-shot', 'loop', 'track']
const STATUS_VALUES: readonly SampleStatus[] = ['pending', 'processing', 'completed', 'failed']
const SORT_VALUES: readonly Sort[] = SORTS.map((sort) => sort.value)

/** Reads filters from search parameters; what makes no sense is left out, so that no address breaks the page. */
export function parseFilters(search: Record<string, unknown>): Filters {
  const tempo_min = amount(search.tempo_min, SLOWEST, FASTEST)
  const tempo_max = amount(search.tempo_max, SLOWEST, FASTEST)
  const key = typeof search.key === 'string' && isKey(search.key) ? search.key : undefined
  return present({
    q: words(search.q)?.slice(0, LONGEST_SEARCH),
    kind: oneOf(KIND_VALUES, search.kind),
    tempo_min,
    tempo_max,
    tempo_multiples: (tempo_min ?? tempo_max) === undefined ? undefined : flag(search.tempo_multiples),
    key,
    key_compatible: key ? flag(search.key_compatible) : undefined,
    duration_min: amount(search.duration_min),
    duration_max: amount(search.duration_max),
    tag: words(search.tag)?.slice(0, LONGEST_TAG),
    favourite: flag(search.favourite),
    status: oneOf(STATUS_VALUES, search.status),
    sort: search.sort === DEFAULT_SORT ? undefined : oneOf(SORT_VALUES, search.sort),
  })
}

function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}

function words(value: unknown): string | undefined {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  return text.trim() ? text : undefined
}

function oneOf<V extends string>(allowed: readonly V[], value: unknown): V | undefined {
  return allowed.find((entry) => entry === value)
}

function amount(value: unknown, lowest = 0, highest = Number.POSITIVE_INFINITY): number | undefined {
  if (value === '' || value === null || value === undefined) return undefined
  const number = Number(value)
  return Number.isFinite(number) && number >= lowest && number <= highest ? number : undefined
}

function flag(value: unknown): true | undefined {
  return value === true || value === 'true' ? true : undefined
}

/** Filters as the API's query. */
export function toQuery(filters: Filters): SampleQuery {
  return { sort: DEFAULT_SORT, ...filters, q: filters.q?.trim() }
}

export interface ActiveFilter {
  id: string
  label: string
  /** The change that takes this filter away. */
  without: Partial<Record<keyof Filters, undefined>>
}

/** The filters in effect, in words, each with what removes it. */
export function activeFilters(filters: Filters): ActiveFilter[] {
  const { q, kind, tempo_min, tempo_max, key, tag, favourite, status, duration_min, duration_max } = filters
  const active: ActiveFilter[] = []
  if (q) active.push({ id: 'q', label: `“${q.trim()}”`, without: { q: undefined } })
  if (kind) active.push({ id: 'kind', label: KIND_LABELS[kind], without: { kind: undefined } })
  if (tempo_min !== undefined || tempo_max !== undefined) {
    const label = `${span(tempo_min, tempo_max)} BPM${filters.tempo_multiples ? ' · ½ ×2' : ''}`
    active.push({
      id: 'tempo',
      label,
      without: { tempo_min: undefined, tempo_max: undefined, tempo_multiples: undefined },
    })
  }
  if (key) {
    const label = filters.key_compatible ? `Mixes with ${key}` : `Key ${key}`
    active.push({ id: 'key', label, without: { key: undefined, key_compatible: undefined } })
  }
  if (duration_min !== undefined || duration_max !== undefined) {
    const label = `${span(duration_min, duration_max)} s`
    active.push({ id: 'duration', label, without: { duration_min: undefined, duration_max: undefined } })
  }
  if (tag) active.push({ id: 'tag', label: `Tag ${tag}`, without: { tag: undefined } })
  if (favourite) active.push({ id: 'favourite', label: 'Favourites', without: { favourite: undefined } })
  if (status) active.push({ id: 'status', label: STATUS_LABELS[status], without: { status: undefined } })
  return active
}

const KIND_LABELS: Record<Kind, string> = { 'one-shot': 'One-shots', loop: 'Loops', track: 'Tracks' }

export const STATUS_LABELS: Record<SampleStatus, string> = {
  pending: 'Waiting',
  processing: 'Being analysed',
  completed: 'Analysed',
  failed: 'Failed',
}

export function span(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `≤ ${max}`
  if (max === undefined) return `≥ ${min}`
  return min === max ? String(min) : `${min}–${max}`
}
