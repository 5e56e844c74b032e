/** What opens under the toolbar's buttons. */
import { useEffect, useState } from 'react'
import type { Facets, SampleStatus } from '@/api/types'
import { camelotClass, compatibleKeys, MAJOR_KEYS, MINOR_KEYS, type WheelKey } from '@/features/samples'
import { Button } from '@/ui/button'
import { classes } from '@/ui/classes'
import { inputClasses } from '@/ui/input'
import { Switch } from '@/ui/switch'
import { FASTEST, type Filters, SLOWEST, STATUS_LABELS } from './filters'

type Change = (filters: Partial<Filters>) => void

interface RangeProps {
  what: string
  unit: string
  min: number | undefined
  max: number | undefined
  lowest?: number
  highest?: number
  onChange: (min: number | undefined, max: number | undefined) => void
}

function RangeInputs({ what, unit, min, max, lowest = 0, highest, onChange }: RangeProps) {
  return (
    <div className="flex items-center gap-2">
      <AmountInput
        label={`Least ${what}`}
        value={min}
        lowest={lowest}
        highest={highest}
        placeholder="from"
        onChange={(value) => onChange(value, max)}
      />
      <span className="text-dim">–</span>
      <AmountInput
        label={`Most ${what}`}
        value={max}
        lowest={lowest}
        highest={highest}
        placeholder="to"
        onChange={(value) => onChange(min, value)}
      />
      <span className="text-xs text-dim">{unit}</span>
    </div>
  )
}

interface AmountInputProps {
  label: string
  value: number | undefined
  lowest: number
  highest: number | undefined
  placeholder: string
  onChange: (value: number | undefined) => void
}

/** Takes effect on Enter or when left, so that half a number does not search. */
function AmountInput({ label, value, lowest, highest, placeholder, onChange }: AmountInputProps) {
  const [text, setText] = useState(value === undefined ? '' : String(value))
  useEffect(() => setText(value === undefined ? '' : String(value)), [value])
  function commit() {
    const typed = text.trim() === '' ? undefined : Number(text.replace(',', '.'))
    const fits =
      typed === undefined || (Number.isFinite(typed) && typed >= lowest && typed <= (highest ?? typed))
    if (!fits) setText(value === undefined ? '' : String(value))
    else if (typed !== value) onChange(typed)
  }
  return (
    <input
      inputMode="decimal"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
      className={classes(inputClasses, 'w-16 font-mono text-xs')}
    />
  )
}

const TEMPOS = [
  { label: '70–90', min: 70, max: 90 },
  { label: '90–110', min: 90, max: 110 },
  { label: '120–130', min: 120, max: 130 },
  { label: '160–180', min: 160, max: 180 },
]

export function TempoFilter({
  filters,
  range,
  change,
}: {
  filters: Filters
  range: Facets['tempo'] | undefined
  change: Change
}) {
  const { tempo_min, tempo_max, tempo_multiples } = filters
  return (
    <div className="flex flex-col gap-3">
      <RangeInputs
        what="tempo"
        unit="BPM"
        min={tempo_min}
        max={tempo_max}
        lowest={SLOWEST}
        highest={FASTEST}
        onChange={(min, max) => change({ tempo_min: min, tempo_max: max })}
      />
      <div className="flex flex-wrap gap-1">
        {TEMPOS.map(({ label, min, max }) => (
          <Button key={label} onClick={() => change({ tempo_min: min, tempo_max: max })}>
            {label}
          </Button>
        ))}
      </div>
      <Switch
        checked={tempo_multiples ?? false}
        disabled={tempo_min === undefined && tempo_max === undefined}
        onChange={(on) => change({ tempo_multiples: on || undefined })}
      >
        Half and double time too
      </Switch>
      {range?.min && range.max ? (
        <p className="text-2xs text-dim">
          Your library: {Math.round(range.min)}–{Math.round(range.max)} BPM
        </p>
      ) : null}
    </div>
  )
}

const LENGTHS = [
  { label: 'Hits, to 1 s', min: undefined, max: 1 },
  { label: '1–10 s', min: 1, max: 10 },
  { label: '10–60 s', min: 10, max: 60 },
  { label: 'Over a minute', min: 60, max: undefined },
]

export function DurationFilter({ filters, change }: { filters: Filters; change: Change }) {
  return (
    <div className="flex flex-col gap-3">
      <RangeInputs
        what="seconds"
        unit="s"
        min={filters.duration_min}
        max={filters.duration_max}
        onChange={(min, max) => change({ duration_min: min, duration_max: max })}
      />
      <div className="flex flex-wrap gap-1">
        {LENGTHS.map(({ label, min, max }) => (
          <Button key={label} onClick={() => change({ duration_min: min, duration_max: max })}>
            {label}
          </Button>
        ))}
      </div>
    </div>
  )
}

/** All 24 keys in the order of the Camelot wheel, so that what mixes stands side by side. */
export function KeyFilter({
  filters,
  counts,
  change,
}: {
  filters: Filters
  counts: Facets['keys'] | undefined
  change: Change
}) {
  const { key, key_compatible } = filters
  const mixing = new Set(key && key_compatible ? compatibleKeys(key) : [])
  const cell = (entry: WheelKey) => (
    <button
      key={entry.key}
      type="button"
      aria-pressed={entry.key === key}
      aria-label={`${entry.key}, ${entry.camelot}, ${counts?.[entry.key] ?? 0} samples`}
      onClick={() =>
        change(entry.key === key ? { key: undefined, key_compatible: undefined } : { key: entry.key })
      }
      className={classes(
        'flex h-10 w-12 flex-col items-center justify-center rounded-md border font-mono leading-none transition-colors',
        entry.key === key
          ? 'border-accent bg-accent-wash'
          : mixing.has(entry.key)
            ? 'border-[#6b4220] bg-accent-wash'
            : 'border-transparent bg-panel hover:border-[#4a433d]',
      )}
    >
      <span className={classes('text-xs', !counts?.[entry.key] && 'text-dim')}>{entry.key}</span>
      <span className={`mt-1 text-2xs ${camelotClass(entry.hour)}`}>{entry.camelot}</span>
    </button>
  )
  return (
    <div className="flex flex-col gap-3">
      <div role="group" aria-label="Minor keys" className="grid grid-cols-6 gap-1">
        {MINOR_KEYS.map(cell)}
      </div>
      <div role="group" aria-label="Major keys" className="grid grid-cols-6 gap-1">
        {MAJOR_KEYS.map(cell)}
      </div>
      <Switch
        checked={key_compatible ?? false}
        disabled={!key}
        onChange={(on) => change({ key_compatible: on || undefined })}
      >
        Keys that mix with it too
      </Switch>
    </div>
  )
}

const STATUSES: readonly SampleStatus[] = ['pending', 'processing', 'failed', 'completed']

export function MoreFilter({
  filters,
  facets,
  change,
}: {
  filters: Filters
  facets: Facets | undefined
  change: Change
}) {
  const [wanted, setWanted] = useState('')
  const tags = (facets?.tags ?? []).filter(({ tag }) => tag.includes(wanted.trim().toLowerCase()))
  return (
    <div className="flex flex-col gap-2">
      <h3 className="text-xs font-semibold">Tag</h3>
      {(facets?.tags.length ?? 0) > 12 && (
        <input
          aria-label="Find a tag"
          placeholder="Find a tag"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          className={classes(inputClasses, 'text-xs')}
        />
      )}
      <div role="group" aria-label="Tags" className="flex max-h-44 flex-wrap gap-1 overflow-y-auto">
        {tags.slice(0, 80).map(({ tag, count }) => (
          <Toggle
            key={tag}
            on={filters.tag === tag}
            onClick={() => change({ tag: filters.tag === tag ? undefined : tag })}
          >
            {tag} <span className="font-mono text-2xs text-dim">{count}</span>
          </Toggle>
        ))}
        {tags.length === 0 && <p className="text-xs text-dim">No tags{wanted ? ' like this' : ' yet'}.</p>}
      </div>
      <h3 className="mt-1 text-xs font-semibold">Status</h3>
      <div role="group" aria-label="Status" className="flex flex-wrap gap-1">
        {STATUSES.map((status) => (
          <Toggle
            key={status}
            on={filters.status === status}
            onClick={() => change({ status: filters.status === status ? undefined : status })}
          >
            {STATUS_LABELS[status]}{' '}
            <span className="font-mono text-2xs text-dim">{facets?.statuses[status] ?? 0}</span>
          </Toggle>
        ))}
      </div>
    </div>
  )
}

function Toggle({ on, onClick, children }: { on: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className="h-6 rounded border border-transparent bg-panel px-1.5 text-xs text-soft hover:border-[#4a433d] aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-accent"
    >
      {children}
    </button>
  )
}
