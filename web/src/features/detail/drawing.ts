/** The outline of a sample and the marks on it. */
import type { Slice, Waveform } from '@/api/types'
import type { Surface } from './canvas'
import { columns, type Range } from './waveform-columns'

/** Quiet samples are drawn up to this many times larger. */
const MOST_GAIN = 8
/** Room for numbers above the outline and for ticks below it, in pixels of the page. */
const MARGIN = 16

export interface Marks {
  /** In seconds. */
  onsets: readonly number[]
  slices: readonly Slice[]
  duration: number
}

export function drawWaveform(
  surface: Surface,
  waveform: Waveform,
  marks: Marks,
  range: Range,
  colour: string,
): void {
  const at = (seconds: number) =>
    ((seconds / (marks.duration || 1) - range.start) / (range.end - range.start)) * surface.width
  drawSlices(surface, marks.slices, at)
  drawOnsets(surface, marks.onsets, at)
  drawOutline(surface, waveform, range, colour)
}

function drawOutline(
  { context, width, height, scale, colour }: Surface,
  { minimum, maximum }: Waveform,
  range: Range,
  fill: string,
): void {
  const middle = height / 2
  const { low, high } = columns(minimum, maximum, range, width)
  let loudest = 0.001
  for (const level of maximum) loudest = Math.max(loudest, level)
  for (const level of minimum) loudest = Math.max(loudest, -level)
  const reach = (middle - MARGIN * scale) * Math.min(1 / loudest, MOST_GAIN)
  context.fillStyle = colour('--color-line')
  context.fillRect(0, middle, width, scale)
  context.fillStyle = fill
  context.beginPath()
  context.moveTo(0, middle)
  for (let x = 0; x < width; x++) context.lineTo(x, middle - Math.max((high[x] ?? 0) * reach, scale / 2))
  for (let x = width - 1; x >= 0; x--) context.lineTo(x, middle - Math.min((low[x] ?? 0) * reach, -scale / 2))
  context.fill()
}

/** Every second piece on a lighter ground, each with its number where there is room for it. */
function drawSlices(
  { context, width, height, scale, colour }: Surface,
  slices: readonly Slice[],
  at: (seconds: number) => number,
): void {
  if (slices.length < 2) return
  context.font = `${10 * scale}px ${colour('--font-mono')}`
  context.textBaseline = 'top'
  slices.forEach((slice, i) => {
    const left = at(slice.start)
    const right = at(slice.end)
    if (right < 0 || left > width) return
    if (i % 2) {
      context.fillStyle = colour('--color-raised')
      context.fillRect(left, 0, right - left, height)
    }
    context.fillStyle = colour('--color-accent')
    context.globalAlpha = 0.55
    context.fillRect(Math.round(left), 0, scale, height)
    context.globalAlpha = 1
    const number = String(i + 1)
    if (right - left > context.measureText(number).width + 8 * scale)
      context.fillText(number, Math.max(left, 0) + 4 * scale, 4 * scale)
  })
}

function drawOnsets(
  { context, width, height, scale, colour }: Surface,
  onsets: readonly number[],
  at: (seconds: number) => number,
): void {
  context.fillStyle = colour('--color-dim')
  for (const onset of onsets) {
    const x = at(onset)
    if (x < -4 * scale || x > width + 4 * scale) continue
    context.beginPath()
    context.moveTo(x - 3.5 * scale, height)
    context.lineTo(x + 3.5 * scale, height)
    context.lineTo(x, height - 6 * scale)
    context.fill()
  }
}

/** The part of a picture in view, over the whole surface. */
export function drawPicture({ context, width, height }: Surface, picture: ImageBitmap, range: Range): void {
  context.imageSmoothingQuality = 'high'
  const from = range.start * picture.width
  const wide = (range.end - range.start) * picture.width
  context.drawImage(picture, from, 0, wide, picture.height, 0, 0, width, height)
}
