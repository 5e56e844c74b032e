/** The outline of a sample as an SVG path, from the 128 loudness bytes that come with every list row. */

export const WAVE_WIDTH = 128
export const WAVE_HEIGHT = 32
const HALF = WAVE_HEIGHT / 2
/** Silence is still a line, so that a row never looks as if its waveform were missing. */
const THINNEST = 0.35
const CACHE_SIZE = 4000

const cache = new Map<string, string>()

export function wavePath(waveform: string): string {
  const known = cache.get(waveform)
  if (known !== undefined) return known
  const path = outline(decode(waveform))
  if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value ?? '')
  cache.set(waveform, path)
  return path
}

export function decode(waveform: string): Uint8Array {
  const binary = atob(waveform)
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}

/** Quiet samples are drawn up to this many times larger: the row shows the shape, the loudness has its own number. */
const MOST_GAIN = 16

/** Along the top from left to right, back along the bottom; x spans the view box whatever the number of peaks. */
export function outline(peaks: Uint8Array): string {
  if (peaks.length === 0) return ''
  const step = WAVE_WIDTH / peaks.length
  const gain = Math.min(255 / Math.max(...peaks, 1), MOST_GAIN)
  const top: string[] = []
  const bottom: string[] = []
  peaks.forEach((peak, i) => {
    const reach = Math.max(((peak * gain) / 255) * (HALF - 1), THINNEST)
    const x = round((i + 0.5) * step)
    top.push(`${x} ${round(HALF - reach)}`)
    bottom.push(`${x} ${round(HALF + reach)}`)
  })
  return `M0 ${HALF}L${top.join('L')}L${WAVE_WIDTH} ${HALF}L${bottom.reverse().join('L')}Z`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
