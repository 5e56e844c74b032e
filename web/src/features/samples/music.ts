/** Keys as the API writes them (sharps only, "m" for minor) and their places on the Camelot wheel. A is minor, B major. */

const MINOR = ['G#m', 'D#m', 'A#m', 'Fm', 'Cm', 'Gm', 'Dm', 'Am', 'Em', 'Bm', 'F#m', 'C#m'] as const
const MAJOR = ['B', 'F#', 'C#', 'G#', 'D#', 'A#', 'F', 'C', 'G', 'D', 'A', 'E'] as const

export interface WheelKey {
  key: string
  camelot: string
  /** 1 to 12: the hour on the wheel. */
  hour: number
}

const wheel = (keys: readonly string[], letter: 'A' | 'B'): WheelKey[] =>
  keys.map((key, i) => ({ key, hour: i + 1, camelot: `${i + 1}${letter}` }))

export const MINOR_KEYS = wheel(MINOR, 'A')
export const MAJOR_KEYS = wheel(MAJOR, 'B')
export const ALL_KEYS = [...MINOR_KEYS, ...MAJOR_KEYS]

const byKey = new Map(ALL_KEYS.map((entry) => [entry.key, entry]))

export function wheelKey(key: string): WheelKey | undefined {
  return byKey.get(key)
}

export function isKey(key: string): boolean {
  return byKey.has(key)
}

/** What `other` is to `key`, where musicians have a word for it. */
export function relation(key: string, other: string): 'relative' | 'parallel' | 'fifth' | null {
  const [one, two] = [byKey.get(key), byKey.get(other)]
  if (!one || !two || key === other) return null
  const sameMode = one.camelot.slice(-1) === two.camelot.slice(-1)
  if (!sameMode && one.hour === two.hour) return 'relative'
  if (!sameMode && key.replace('m', '') === other.replace('m', '')) return 'parallel'
  return sameMode && [1, 11].includes(Math.abs(one.hour - two.hour)) ? 'fifth' : null
}

/** The keys that mix with `key`: itself, its relative, and one step either way round the wheel. */
export function compatibleKeys(key: string): string[] {
  const own = byKey.get(key)
  if (!own) return []
  const minor = own.camelot.endsWith('A')
  const ring = minor ? MINOR : MAJOR
  const relative = (minor ? MAJOR : MINOR)[own.hour - 1]
  const around = [ring[(own.hour + 10) % 12], ring[own.hour % 12]]
  return [key, relative, ...around].filter((entry): entry is NonNullable<typeof entry> => entry !== undefined)
}
