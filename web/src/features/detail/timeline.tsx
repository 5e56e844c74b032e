import { type ReactNode, useCallback, useEffect, useRef } from 'react'
import type { SampleDetail } from '@/api/types'
import { onPosition, play, seek, usePlayer } from '@/features/player'
import { type Range, shifted } from './waveform-columns'

interface TimelineProps {
  sample: SampleDetail
  range: Range
  setRange: (change: (now: Range) => Range) => void
  zoom: (factor: number, anchor?: number) => void
  children: ReactNode
}

/** Pictures that share one axis of time: a press plays from there, wheels zoom and shift, a line goes along. */
export function Timeline({ sample, range, setRange, zoom, children }: TimelineProps) {
  const box = useRef<HTMLDivElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const current = usePlayer((player) => player.sample?.id === sample.id)

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
      const bounds = box.current?.getBoundingClientRect()
      return bounds ? range.start + ((clientX - bounds.left) / bounds.width) * (range.end - range.start) : 0
    },
    [range],
  )

  // React listens to wheels passively, and then the page could not be kept from zooming along.
  useEffect(() => {
    const element = box.current
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
    <div
      ref={box}
      className="relative touch-pan-y overflow-hidden"
      onPointerDown={(event) => {
        if (current) seek(pointAt(event.clientX))
        else void play(sample, pointAt(event.clientX))
      }}
      onPointerMove={(event) => event.buttons === 1 && current && seek(pointAt(event.clientX))}
    >
      {children}
      {current && (
        <div ref={head} className="pointer-events-none absolute inset-0">
          <div className="h-full w-0.5 bg-ink" />
        </div>
      )}
    </div>
  )
}
