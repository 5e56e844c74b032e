import { type DragEvent, type RefObject, useState } from 'react'
import type { Sample } from '@/api/types'

/** Moves the element at `from` so that it ends up at `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list]
  const [item] = next.splice(from, 1)
  if (item !== undefined) next.splice(to, 0, item)
  return next
}

/** Dragging rows to another place, where the list has an order of its own. */
export function useReorder(samples: readonly Sample[], onReorder?: (ids: string[]) => void) {
  const [from, setFrom] = useState<number | null>(null)
  /** The gap the row would land in: 0 is above the first row. */
  const [gap, setGap] = useState<number | null>(null)

  function move(start: number, end: number) {
    if (!onReorder || start < 0 || end < 0 || end >= samples.length || start === end) return
    onReorder(moved(samples, start, end).map(({ id }) => id))
  }

  return {
    move,
    start: (index: number) => onReorder && setFrom(index),
    landing(index: number): 'before' | 'after' | undefined {
      if (from === null || gap === null) return undefined
      if (gap === index) return 'before'
      return gap === samples.length && index === samples.length - 1 ? 'after' : undefined
    },
    over(scroller: RefObject<HTMLDivElement | null>, rowHeight: number, above: number) {
      if (!onReorder) return {}
      return {
        onDragOver(event: DragEvent) {
          if (from === null || !scroller.current) return
          event.preventDefault()
          const y =
            event.clientY - scroller.current.getBoundingClientRect().top + scroller.current.scrollTop - above
          setGap(Math.min(samples.length, Math.max(0, Math.round(y / rowHeight))))
        },
        onDragLeave: () => setGap(null),
        onDragEnd() {
          setFrom(null)
          setGap(null)
        },
        onDrop(event: DragEvent) {
          if (from === null || gap === null) return
          event.preventDefault()
          move(from, gap > from ? gap - 1 : gap)
          setFrom(null)
          setGap(null)
        },
      }
    },
  }
}
