/** From the server's peaks to the pixels on screen. */

export interface Range {
  /** 0 to 1 of the sample's length. */
  start: number
  end: number
}

export const WHOLE: Range = { start: 0, end: 1 }

/** How many peaks are fetched at once, and how many once they are too few for what is in view. */
export const POINTS = 2048
export const FINE_POINTS = 16_384

/** Closer than this many peaks to the screen, there would only be straight lines. */
const FEWEST_IN_VIEW = 64

export const closest = (points: number) => FEWEST_IN_VIEW / points

export const wantsFiner = ({ start, end }: Range) => end - start <= 0.5

export interface Columns {
  low: Float32Array
  high: Float32Array
}

/** Lowest and highest level under each of `width` pixel columns; between two peaks it follows a straight line. */
export function columns(
  minimum: readonly number[],
  maximum: readonly number[],
  { start, end }: Range,
  width: number,
): Columns {
  const low = new Float32Array(width)
  const high = new Float32Array(width)
  const points = minimum.length
  const step = ((end - start) * points) / width
  for (let x = 0; x < width; x++) {
    const from = start * points + x * step
    if (step < 1) {
      low[x] = between(minimum, from + step / 2 - 0.5)
      high[x] = between(maximum, from + step / 2 - 0.5)
      continue
    }
    let least = Number.POSITIVE_INFINITY
    let most = Number.NEGATIVE_INFINITY
    for (let i = Math.floor(from); i < Math.min(Math.ceil(from + step), points); i++) {
      least = Math.min(least, minimum[i] ?? 0)
      most = Math.max(most, maximum[i] ?? 0)
    }
    low[x] = Number.isFinite(least) ? least : 0
    high[x] = Number.isFinite(most) ? most : 0
  }
  return { low, high }
}

function between(values: readonly number[], at: number): number {
  const left = Math.min(Math.max(Math.floor(at), 0), values.length - 1)
  const right = Math.min(left + 1, values.length - 1)
  const share = Math.min(Math.max(at - left, 0), 1)
  return (values[left] ?? 0) * (1 - share) + (values[right] ?? 0) * share
}

/** The range zoomed by `factor` (under 1: closer) around the point `anchor`, kept inside the sample. */
export function zoomed({ start, end }: Range, factor: number, anchor: number, closest: number): Range {
  const length = Math.min(1, Math.max(closest, (end - start) * factor))
  const share = (anchor - start) / (end - start)
  return shifted({ start: anchor - share * length, end: anchor + (1 - share) * length }, 0)
}

export function shifted({ start, end }: Range, by: number): Range {
  const length = end - start
  const from = Math.min(Math.max(start + by, 0), 1 - length)
  return { start: from, end: from + length }
}
