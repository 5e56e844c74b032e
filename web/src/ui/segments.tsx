import type { ReactNode } from 'react'
import { classes } from './classes'

interface SegmentsProps<V extends string> {
  label: string
  value: V
  options: readonly { value: V; label: ReactNode; name?: string }[]
  onChange: (value: V) => void
}

/** A small set of exclusive choices, all in view. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  return (
    <div
      role="group"
      aria-label={label}
      className="inline-flex h-7 shrink-0 rounded-md border border-line bg-raised p-0.5"
    >
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.name}
          onClick={() => onChange(option.value)}
          className={classes(
            'inline-flex items-center gap-1.5 rounded px-2 text-xs whitespace-nowrap transition-colors',
            option.value === value ? 'bg-[#3a342f] text-ink' : 'text-dim hover:text-ink',
          )}
        >
          {option.label}
        </button>
      ))}
    </div>
  )
}
