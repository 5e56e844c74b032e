/** The list of samples: virtual rows under one keyboard cursor that plays what it passes. */
import { useNavigate } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Sample } from '@/api/types'
import { NewCollectionDialog } from '@/features/collections/add-menu'
import { dragSamples } from '@/features/collections/dragged'
import { play, prefetch, togglePlay, usePlayer } from '@/features/player'
import { deleteSamples, toggleFavourite } from '@/features/samples'
import { useShortcuts } from '@/shortcuts'
import { type MenuAt, RowMenu } from './row-menu'
import { COLUMNS, ROW_HEIGHT, type RowActions, rowId, SampleRow } from './sample-row'
import { SelectionBar } from './selection-bar'
import { useCursor } from './use-cursor'
import { useReorder } from './use-reorder'

interface SampleGridProps {
  samples: Sample[]
  /** How many there are in all, loaded or not. */
  total: number
  label: string
  /** Which list this is: the cursor's place is remembered under it, and another list starts at its own. */
  memory: string
  header: ReactNode
  hasMore: boolean
  onMore: () => void
  onRemove?: (samples: Sample[]) => void
  onReorder?: (ids: string[]) => void
}

const HEADER_HEIGHT = 26
const NEIGHBOURS = 3
const REPEAT_PAUSE = 90
const PREFETCH_PAUSE = 120

export function SampleGrid({
  samples,
  total,
  label,
  memory,
  header,
  hasMore,
  onMore,
  onRemove,
  onReorder,
}: SampleGridProps) {
  const navigate = useNavigate()
  const scroller = useRef<HTMLDivElement>(null)
  const cursor = useCursor(samples, memory)
  const [menu, setMenu] = useState<MenuAt | null>(null)
  const [gathered, setGathered] = useState<Sample[] | null>(null)
  const reorder = useReorder(samples, onReorder)
  const hear = useHearing(samples)

  const rows = useVirtualizer({
    count: samples.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => samples[index]?.id ?? index,
    overscan: 8,
    scrollMargin: HEADER_HEIGHT,
    scrollPaddingStart: HEADER_HEIGHT,
    initialOffset: offsetOf(cursor.activeIndex),
  })
  const offset = useRef(0)
  offset.current = offsetOf(cursor.activeIndex)
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per list; afterwards people scroll themselves
  useLayoutEffect(() => {
    scroller.current?.scrollTo({ top: offset.current })
  }, [memory])
  const shown = rows.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && lastShown > samples.length - 40) onMore()
  }, [hasMore, lastShown, samples.length, onMore])

  function moveTo(index: number, { extend = false, repeat = false } = {}) {
    if (samples.length === 0) return
    const target = Math.min(Math.max(index, 0), samples.length - 1)
    cursor.moveTo(target, extend)
    rows.scrollToIndex(target)
    if (!extend) hear(target, repeat)
  }
  const open = (sample: Sample | undefined) =>
    sample && void navigate({ to: '/samples/$id', params: { id: sample.id } })
  const page = () =>
    Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - HEADER_HEIGHT) / ROW_HEIGHT) - 1)
  const at = cursor.activeIndex

  useShortcuts({
    next: (event) => moveTo(at + 1, event),
    previous: (event) => moveTo(at < 0 ? 0 : at - 1, event),
    pageDown: (event) => moveTo(at + page(), event),
    pageUp: (event) => moveTo(at - page(), event),
    first: () => moveTo(0),
    last: () => moveTo(samples.length - 1),
    extendDown: () => moveTo(at + 1, { extend: true }),
    extendUp: () => moveTo(at - 1, { extend: true }),
    open: () => open(cursor.active),
    menu: () => {
      const row = cursor.active && document.getElementById(rowId(cursor.active.id))
      if (row) actions.menu(at, row)
    },
    playPause: () => togglePlay(usePlayer.getState().sample ? undefined : cursor.active),
    replay: () => {
      const sample = usePlayer.getState().sample ?? cursor.active
      if (sample) void play(sample)
    },
    favourite: () => void toggleFavourite(cursor.chosen),
    remove: ({ repeat }) => {
      // A key held down takes one, not the whole list.
      if (repeat || cursor.chosen.length === 0) return
      if (onRemove) onRemove(cursor.chosen)
      else void deleteSamples(cursor.chosen)
      cursor.clear()
    },
    select: () => cursor.toggle(at),
    selectAll: cursor.selectAll,
    clear: cursor.clear,
    moveUp: () => reorder.move(at, at - 1),
    moveDown: () => reorder.move(at, at + 1),
  })

  const actions = useStableActions({
    press(index, event) {
      if (event.shiftKey) cursor.moveTo(index, true)
      else if (event.ctrlKey || event.metaKey) cursor.toggle(index)
      else moveTo(index)
    },
    open: (index) => open(samples[index]),
    playPause(index) {
      cursor.moveTo(index)
      togglePlay(samples[index])
    },
    toggle: (index, range) => (range ? cursor.moveTo(index, true) : cursor.toggle(index)),
    favourite(index) {
      const sample = samples[index]
      if (sample) void toggleFavourite([sample])
    },
    menu(index, anchor) {
      const sample = samples[index]
      if (!sample) return
      const selected = cursor.selected.has(sample.id)
      if (!selected) cursor.moveTo(index)
      setMenu({ samples: selected ? cursor.chosen : [sample], anchor })
    },
    drag(index, event) {
      const sample = samples[index]
      if (!sample) return
      reorder.start(index)
      dragSamples(
        event.dataTransfer,
        cursor.selected.has(sample.id) ? cursor.chosen.map(({ id }) => id) : [sample.id],
      )
    },
  })

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="grid"
        id="sample-grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={total + 1}
        aria-colcount={10}
        aria-multiselectable
        aria-activedescendant={
          shown.some(({ index }) => index === at) && cursor.active ? rowId(cursor.active.id) : undefined
        }
        className="group/grid h-full overflow-y-scroll outline-none"
        {...reorder.over(scroller, ROW_HEIGHT, HEADER_HEIGHT)}
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-ground">
          <div
            role="row"
            aria-rowindex={1}
            className={`${COLUMNS} h-[26px] border-b border-line text-2xs text-dim`}
          >
            {header}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
          {shown.map(({ index, key, start }) => {
            const sample = samples[index]
            return (
              sample && (
                <div
                  key={key}
                  role="presentation"
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${start - HEADER_HEIGHT}px)` }}
                >
                  <SampleRow
                    sample={sample}
                    index={index}
                    active={index === at}
                    selected={cursor.selected.has(sample.id)}
                    landing={reorder.landing(index)}
                    actions={actions}
                  />
                </div>
              )
            )
          })}
        </div>
      </div>
      {cursor.selected.size > 0 && (
        <SelectionBar samples={cursor.chosen} onClear={cursor.clear} onNewCollection={setGathered} />
      )}
      <RowMenu
        at={menu}
        onClose={() => setMenu(null)}
        onOpen={open}
        onNewCollection={setGathered}
        onRemove={onRemove}
      />
      <NewCollectionDialog samples={gathered} onClose={() => setGathered(null)} />
    </div>
  )
}

/** Where a list opens: at its beginning, or a little above the row it was left on. */
function offsetOf(activeIndex: number): number {
  return Math.max(0, (activeIndex - 8) * ROW_HEIGHT)
}

/** Plays a row as the cursor reaches it, and fetches its neighbours. A held-down key plays only where it rests. */
function useHearing(samples: readonly Sample[]) {
  const timers = useRef<{ play?: number; prefetch?: number }>({})
  useEffect(() => {
    const { current } = timers
    return () => {
      window.clearTimeout(current.play)
      window.clearTimeout(current.prefetch)
    }
  }, [])
  return (index: number, repeat: boolean) => {
    const sample = samples[index]
    window.clearTimeout(timers.current.play)
    window.clearTimeout(timers.current.prefetch)
    if (sample?.status !== 'completed') return
    if (repeat) timers.current.play = window.setTimeout(() => void play(sample), REPEAT_PAUSE)
    else void play(sample)
    timers.current.prefetch = window.setTimeout(
      () => prefetch(samples.slice(Math.max(0, index - NEIGHBOURS), index + NEIGHBOURS + 1)),
      PREFETCH_PAUSE,
    )
  }
}

/** The same object at every render, so that rows whose sample did not change are not drawn again. */
function useStableActions(actions: RowActions): RowActions {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  return useMemo(
    () => ({
      press: (...given) => latest.current.press(...given),
      open: (...given) => latest.current.open(...given),
      playPause: (...given) => latest.current.playPause(...given),
      toggle: (...given) => latest.current.toggle(...given),
      favourite: (...given) => latest.current.favourite(...given),
      menu: (...given) => latest.current.menu(...given),
      drag: (...given) => latest.current.drag(...given),
    }),
    [],
  )
}
