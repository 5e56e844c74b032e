import { useRef } from 'react'
import type { SampleDetail } from '@/api/types'
import { seconds, Wave } from '@/features/samples'
import { type Range, shifted } from './waveform-columns'

interface OverviewProps {
  sample: SampleDetail
  range: Range
  setRange: (change: (now: Range) => Range) => void
}

/** The whole sample, small, with the part in view marked; dragging or the arrow keys move the view. */
export function Overview({ sample, range, setRange }: OverviewProps) {
  const box = useRef<HTMLDivElement>(null)
  const duration = sample.duration ?? 0
  const length = range.end - range.start
  const whole = length >= 1

  function centre(clientX: number) {
    const bounds = box.current?.getBoundingClientRect()
    if (!bounds?.width) return
    const at = (clientX - bounds.left) / bounds.width
    setRange((now) => shifted(now, at - (now.start + now.end) / 2))
  }

  function onKeyDown(event: React.KeyboardEvent) {
    const by: Record<string, number> = {
      ArrowLeft: -length / 4,
      ArrowRight: length / 4,
      PageUp: -length,
      PageDown: length,
      Home: -1,
      End: 1,
    }
    const way = by[event.key]
    if (way === undefined) return
    event.preventDefault()
    event.stopPropagation()
    setRange((now) => shifted(now, way))
  }

  return (
    <div
      ref={box}
      role="slider"
      tabIndex={whole ? -1 : 0}
      aria-label="Part in view"
      aria-disabled={whole}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={whole ? 0 : Math.round((range.start / (1 - length)) * 100)}
      aria-valuetext={`${seconds(range.start * duration)} to ${seconds(range.end * duration)} seconds`}
      className="relative h-7 min-w-0 flex-1 touch-none"
      onKeyDown={onKeyDown}
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
        style={{ left: `${range.start * 100}%`, width: `${length * 100}%` }}
      />
    </div>
  )
}
