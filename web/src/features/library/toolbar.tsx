import { Heart, Search, X } from 'lucide-react'
import { type Ref, useEffect, useRef, useState } from 'react'
import type { Facets } from '@/api/types'
import { KINDS, kindColour } from '@/features/samples'
import { Button } from '@/ui/button'
import { FilterChip } from '@/ui/chip'
import { classes } from '@/ui/classes'
import { inputClasses } from '@/ui/input'
import { Kbd } from '@/ui/kbd'
import { Popover } from '@/ui/popover'
import { Segments } from '@/ui/segments'
import { Select } from '@/ui/select'
import { DurationFilter, KeyFilter, MoreFilter, TempoFilter } from './filter-forms'
import { activeFilters, DEFAULT_SORT, type Filters, LONGEST_SEARCH, SORTS, span } from './filters'

interface ToolbarProps {
  filters: Filters
  facets: Facets | undefined
  total: number | undefined
  change: (filters: Partial<Filters>, replace?: boolean) => void
  search: Ref<HTMLInputElement>
}

export function Toolbar({ filters, facets, total, change, search }: ToolbarProps) {
  const { tempo_min, tempo_max, duration_min, duration_max, key } = filters
  const tempo = tempo_min !== undefined || tempo_max !== undefined
  const duration = duration_min !== undefined || duration_max !== undefined
  return (
    <div
      role="search"
      className="flex h-12 shrink-0 items-center gap-2 overflow-x-auto border-b border-line px-3 [scrollbar-width:none]"
    >
      <SearchBox
        value={filters.q ?? ''}
        onChange={(q) => change({ q: q || undefined }, true)}
        inputRef={search}
      />
      <Segments
        label="Kind"
        value={filters.kind ?? 'all'}
        onChange={(kind) => change({ kind: kind === 'all' ? undefined : kind })}
        options={[
          { value: 'all' as const, label: 'All' },
          ...KINDS.map(({ kind, many }) => ({
            value: kind,
            label: (
              <>
                <span className="size-2 rounded-full" style={{ background: kindColour(kind) }} />
                {many}
                <span className="hidden font-mono text-2xs text-dim 2xl:inline">
                  {facets?.kinds[kind] ?? ''}
                </span>
              </>
            ),
          })),
        ]}
      />
      <Popover
        title="Tempo"
        label={tempo ? `${span(tempo_min, tempo_max)} BPM` : 'BPM'}
        active={tempo}
        className="w-60"
      >
        <TempoFilter filters={filters} range={facets?.tempo} change={change} />
      </Popover>
      <Popover
        title="Key"
        label={key ? (filters.key_compatible ? `${key} +` : key) : 'Key'}
        active={Boolean(key)}
      >
        <KeyFilter filters={filters} counts={facets?.keys} change={change} />
      </Popover>
      <Popover
        title="Length"
        label={duration ? `${span(duration_min, duration_max)} s` : 'Length'}
        active={duration}
        className="w-56"
      >
        <DurationFilter filters={filters} change={change} />
      </Popover>
      <Popover
        title="Tags and status"
        label={filters.tag ?? 'More'}
        active={Boolean(filters.tag ?? filters.status)}
        className="w-60"
      >
        <MoreFilter filters={filters} facets={facets} change={change} />
      </Popover>
      <button
        type="button"
        aria-label="Favourites only"
        aria-pressed={filters.favourite ?? false}
        title="Favourites only"
        onClick={() => change({ favourite: filters.favourite ? undefined : true })}
        className="grid size-7 shrink-0 place-items-center rounded-md border border-line bg-raised text-dim hover:bg-hover hover:text-ink aria-pressed:border-[#6b4220] aria-pressed:bg-accent-wash aria-pressed:text-accent"
      >
        <Heart size={14} fill={filters.favourite ? 'currentColor' : 'none'} />
      </button>
      <div className="flex-1" />
      <span className="hidden font-mono text-xs whitespace-nowrap text-dim lg:inline" aria-live="polite">
        {total === undefined ? '' : total.toLocaleString('en')}
        <span className="sr-only"> samples</span>
      </span>
      <div className="hidden xl:block">
        <Select
          label="Sort by"
          prefix="Sort"
          value={filters.sort ?? DEFAULT_SORT}
          options={SORTS}
          onChange={(sort) => change({ sort: sort === DEFAULT_SORT ? undefined : sort })}
        />
      </div>
    </div>
  )
}

const TYPING_PAUSE = 180

function SearchBox({
  value,
  onChange,
  inputRef,
}: {
  value: string
  onChange: (text: string) => void
  inputRef: Ref<HTMLInputElement>
}) {
  const [text, setText] = useState(value)
  const sent = useRef(value)
  const report = useRef(onChange)
  useEffect(() => {
    report.current = onChange
  })
  // Back and forward, chips and reset change the address: the box follows, unless the change was its own.
  useEffect(() => {
    if (value !== sent.current) setText(value)
    sent.current = value
  }, [value])
  useEffect(() => {
    if (text === sent.current) return
    const timer = setTimeout(() => {
      sent.current = text
      report.current(text)
    }, TYPING_PAUSE)
    return () => clearTimeout(timer)
  }, [text])

  return (
    <div className="relative w-64 min-w-36 shrink">
      <Search size={13} className="pointer-events-none absolute top-[7px] left-2 text-dim" aria-hidden />
      <input
        ref={inputRef}
        type="text"
        aria-label="Search samples"
        placeholder="dusty rhodes -vocal"
        spellCheck={false}
        value={text}
        maxLength={LONGEST_SEARCH}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            setText('')
            event.currentTarget.blur()
          }
          if (event.key === 'Enter' || event.key === 'ArrowDown') {
            event.preventDefault()
            document.getElementById('sample-grid')?.focus()
          }
        }}
        className={classes(inputClasses, 'w-full pr-7 pl-7 text-xs')}
      />
      <span className="absolute top-[5px] right-1.5">
        {text ? (
          <button
            type="button"
            aria-label="Clear search"
            onClick={() => setText('')}
            className="-mt-[3px] -mr-1 grid size-6 place-items-center rounded text-dim hover:text-ink"
          >
            <X size={13} />
          </button>
        ) : (
          <span aria-hidden>
            <Kbd>/</Kbd>
          </span>
        )}
      </span>
    </div>
  )
}

export function FilterChips({
  filters,
  change,
  reset,
}: {
  filters: Filters
  change: ToolbarProps['change']
  reset: () => void
}) {
  const active = activeFilters(filters)
  if (active.length === 0) return null
  return (
    <div
      role="group"
      aria-label="Active filters"
      className="flex shrink-0 flex-wrap items-center gap-1.5 border-b border-line px-3 py-1.5"
    >
      {active.map(({ id, label, without }) => (
        <FilterChip key={id} name={label} onRemove={() => change(without)}>
          {label}
        </FilterChip>
      ))}
      <Button look="quiet" className="h-6" onClick={reset}>
        Reset all
      </Button>
    </div>
  )
}
