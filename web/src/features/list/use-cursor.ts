/** Which row the keyboard is on and which rows are selected; both by id, so that they survive new rows arriving. */
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { Sample } from '@/api/types'

/** Where each list was left, for coming back to it. */
const left = new Map<string, string>()

export interface Cursor {
  activeIndex: number
  active: Sample | undefined
  selected: ReadonlySet<string>
  /** The selection, or the active row when nothing is selected. */
  chosen: Sample[]
  moveTo: (index: number, extend?: boolean) => void
  toggle: (index: number) => void
  selectAll: () => void
  clear: () => void
}

export function useCursor(samples: readonly Sample[], memory: string): Cursor {
  const [activeId, setActiveId] = useState<string | null>(() => left.get(memory) ?? null)
  const [anchorId, setAnchorId] = useState<string | null>(null)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [lastIndex, setLastIndex] = useState(-1)
  const [list, setList] = useState(memory)
  if (list !== memory) {
    setList(memory)
    setActiveId(left.get(memory) ?? null)
    setAnchorId(null)
    setSelected(new Set())
    setLastIndex(-1)
  }
  const indexes = useMemo(() => new Map(samples.map((sample, index) => [sample.id, index])), [samples])
  const activeIndex = activeId === null ? -1 : (indexes.get(activeId) ?? -1)

  // The active row went away (deleted, filtered out): the keyboard stays at its place, not at its ghost.
  useEffect(() => {
    if (activeIndex >= 0) return setLastIndex(activeIndex)
    if (activeId === null || lastIndex < 0 || samples.length === 0) return
    setActiveId(samples[Math.min(lastIndex, samples.length - 1)]?.id ?? null)
  }, [activeIndex, activeId, lastIndex, samples])

  useEffect(() => {
    if (activeId) left.set(memory, activeId)
  }, [activeId, memory])

  const moveTo = useCallback(
    (index: number, extend = false) => {
      const sample = samples[Math.min(Math.max(index, 0), samples.length - 1)]
      if (!sample) return
      setActiveId(sample.id)
      if (!extend) {
        setAnchorId(sample.id)
        setSelected((old) => (old.size ? new Set() : old))
        return
      }
      const from = indexes.get(anchorId ?? activeId ?? sample.id) ?? index
      const to = indexes.get(sample.id) ?? index
      setSelected(new Set(samples.slice(Math.min(from, to), Math.max(from, to) + 1).map(({ id }) => id)))
    },
    [samples, indexes, anchorId, activeId],
  )

  const toggle = useCallback(
    (index: number) => {
      const sample = samples[index]
      if (!sample) return
      setActiveId(sample.id)
      setAnchorId(sample.id)
      setSelected((old) => {
        const next = new Set(old)
        if (!next.delete(sample.id)) next.add(sample.id)
        return next
      })
    },
    [samples],
  )

  const active = samples[activeIndex]
  return {
    activeIndex,
    active,
    selected,
    chosen: useMemo(
      () => (selected.size ? samples.filter(({ id }) => selected.has(id)) : active ? [active] : []),
      [samples, selected, active],
    ),
    moveTo,
    toggle,
    selectAll: useCallback(() => setSelected(new Set(samples.map(({ id }) => id))), [samples]),
    clear: useCallback(() => setSelected(new Set()), []),
  }
}
