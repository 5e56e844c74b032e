import { Minus, Plus, Scan } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { SampleDetail, Waveform } from '@/api/types'
import { onPosition, play, seek, usePlayer } from '@/features/player'
import { count, kindColour, seconds, useWaveform, Wave } from '@/features/samples'
import { Button, IconButton } from '@/ui/button'
import { Loading } from '@/ui/spinner'
import { columns, type Range, shifted, zoomed } from './waveform-columns'

const POINTS = 2048
const WHOLE: Range = { start: 0, end: 1 }
/** Quiet samples are drawn up to this many times larger. */
const MOST_GAIN = 8
/** Closer than this, the 2,048 peaks would only draw straight lines. */
const CLOSEST = 1 / 32

export function WaveformView({ sample, onsets }: { sample: SampleDetail; onsets: number[] }) {
  const { data: waveform, error, refetch } = useWaveform(sample.id, POINTS, sample.status === 'completed')
  const [range, setRange] = useState(WHOLE)
  const zoom = (factor: number, anchor = (range.start + range.end) / 2) =>
    setRange((now) => zoomed(now, factor, anchor, CLOSEST))
  const duration = sample.duration ?? 0

  return (
    <section aria-label="Waveform" className="overflow-hidden rounded-lg border border-line bg-panel">
      <div className="relative h-52">
        {waveform ? (
          <Drawing
            sample={sample}
            waveform={waveform}
            onsets={onsets}
            range={range}
            setRange={setRange}
            zoom={zoom}
          />
        ) : error ? (
          <div className="flex h-full items-center justify-center gap-3 text-dim">
            The waveform did not load. <Button onClick={() => void refetch()}>Try again</Button>
          </div>
        ) : (
          <Loading what="the waveform" />
        )}
      </div>
      <div className="flex items-center gap-2 border-t border-line px-2 py-1">
        <Overview sample={sample} range={range} setRange={setRange} />
        <span className="w-40 text-right font-mono text-2xs whitespace-nowrap text-dim">
          {seconds(range.start * duration)} – {seconds(range.end * duration)} s
        </span>
        <span className="w-20 text-right text-2xs whitespace-nowrap text-dim">
          {count(onsets.length, 'onset')}
        </span>
        <IconButton label="Zoom out" disabled={range.end - range.start >= 1} onClick={() => zoom(2)}>
          <Minus size={14} />
        </IconButton>
        <IconButton label="Zoom in" disabled={range.end - range.start <= CLOSEST} onClick={() => zoom(0.5)}>
          <Plus size={14} />
        </IconButton>
        <IconButton label="Show all" disabled={range.end - range.start >= 1} onClick={() => setRange(WHOLE)}>
          <Scan size={14} />
        </IconButton>
      </div>
    </section>
  )
}

interface DrawingProps {
  sample: SampleDetail
  waveform: Waveform
  onsets: number[]
  range: Range
  setRange: (change: (now: Range) => Range) => void
  zoom: (factor: number, anchor?: number) => void
}

function Drawing({ sample, waveform, onsets, range, setRange, zoom }: DrawingProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const current = usePlayer((player) => player.sample?.id === sample.id)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const duration = sample.duration ?? 0

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useEffect(() => {
    if (canvas.current && size.width)
      draw(
        canvas.current,
        waveform,
        onsets.map((at) => at / (duration || 1)),
        range,
        kindColour(sample.kind),
      )
  }, [waveform, onsets, range, size, duration, sample.kind])

  useEffect(() => {
    if (!current) return
    return onPosition((fraction) => {
      if (!head.current) return
      const at = (fraction - range.start) / (range.end - range.start)
      head.current.style.transform = `translateX(${at * 100}%)`
      head.current.style.visibility = at >= 0 && at <= 1 ? 'visible' : 'hidden'
    })
  }, [current, range])

  const pointAt = useCallback(
    (clientX: number) => {
      const box = canvas.current?.getBoundingClientRect()
      return box ? range.start + ((clientX - box.left) / box.width) * (range.end - range.start) : 0
    },
    [range],
  )

  // React listens to wheels passively, and then the page could not be kept from zooming along.
  useEffect(() => {
    const element = canvas.current
    function onWheel(event: WheelEvent) {
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, pointAt(event.clientX))
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX || event.deltaY) / (element?.clientWidth || 1)
        setRange((now) => shifted(now, by * (now.end - now.start)))
      } else return
      event.preventDefault()
    }
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [pointAt, zoom, setRange])

  return (
    <>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Waveform, ${seconds(duration)} seconds, ${count(onsets.length, 'onset')}`}
        className="size-full touch-none"
        onPointerDown={(event) => {
          if (current) seek(pointAt(event.clientX))
          else void play(sample, pointAt(event.clientX))
        }}
        onPointerMove={(event) => event.buttons === 1 && current && seek(pointAt(event.clientX))}
      />
      {current && (
        <div ref={head} className="pointer-events-none absolute inset-0">
          <div className="h-full w-0.5 bg-ink" />
        </div>
      )}
    </>
  )
}

function draw(
  canvas: HTMLCanvasElement,
  { minimum, maximum }: Waveform,
  onsets: number[],
  range: Range,
  colour: string,
): void {
  const scale = window.devicePixelRatio || 1
  const width = Math.round(canvas.clientWidth * scale)
  const height = Math.round(canvas.clientHeight * scale)
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context) return
  const style = getComputedStyle(canvas)
  const middle = height / 2

  context.fillStyle = style.getPropertyValue('--color-line')
  context.fillRect(0, middle, width, scale)
  for (const onset of onsets) {
    const x = ((onset - range.start) / (range.end - range.start)) * width
    if (x < 0 || x > width) continue
    context.fillStyle = style.getPropertyValue('--color-edge')
    context.fillRect(x, 0, scale, height)
    context.beginPath()
    context.moveTo(x - 4 * scale, 0)
    context.lineTo(x + 5 * scale, 0)
    context.lineTo(x + scale / 2, 6 * scale)
    context.fill()
  }

  const { low, high } = columns(minimum, maximum, range, width)
  const loudest = Math.max(...maximum, ...minimum.map((level) => -level), 0.001)
  const reach = (middle - 12 * scale) * Math.min(1 / loudest, MOST_GAIN)
  context.fillStyle = style.getPropertyValue(colour.slice(4, -1))
  context.beginPath()
  context.moveTo(0, middle)
  for (let x = 0; x < width; x++) context.lineTo(x, middle - Math.max((high[x] ?? 0) * reach, scale / 2))
  for (let x = width - 1; x >= 0; x--) context.lineTo(x, middle - Math.min((low[x] ?? 0) * reach, -scale / 2))
  context.fill()
}

/** The whole sample, small, with the part in view marked; dragging moves the view. */
function Overview({
  sample,
  range,
  setRange,
}: {
  sample: SampleDetail
  range: Range
  setRange: (change: (now: Range) => Range) => void
}) {
  const box = useRef<HTMLDivElement>(null)
  function centre(clientX: number) {
    const bounds = box.current?.getBoundingClientRect()
    if (!bounds?.width) return
    const at = (clientX - bounds.left) / bounds.width
    setRange((now) => shifted(now, at - (now.start + now.end) / 2))
  }
  return (
    <div
      ref={box}
      className="relative h-7 min-w-0 flex-1 touch-none"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        centre(event.clientX)
      }}
      onPointerMove={(event) => event.buttons === 1 && centre(event.clientX)}
    >
      <Wave
        waveform={sample.waveform}
        kind={sample.kind}
        sampleId={sample.id}
        className="size-full opacity-60"
      />
      <div
        className="pointer-events-none absolute inset-y-0 rounded border border-accent bg-[#ff8f3f1f]"
        style={{ left: `${range.start * 100}%`, width: `${(range.end - range.start) * 100}%` }}
      />
    </div>
  )
}
