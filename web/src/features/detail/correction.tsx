/** What a card about something measured is made of: the value, how sure it is, and the ways to put it right. */
import { Undo2 } from 'lucide-react'
import type { ReactNode } from 'react'
import type { SampleChange, SampleDetail } from '@/api/types'
import { percent, useChangeSample } from '@/features/samples'
import { Button } from '@/ui/button'
import { notifyFailure } from '@/ui/toast'
import { certainty, said } from './findings'

export function useCorrection(sample: SampleDetail, field: 'tempo' | 'key' | 'kind') {
  const { mutate, isPending } = useChangeSample(sample.id)
  const failed = (problem: unknown) => notifyFailure('The correction was not saved', problem)
  return {
    corrected: sample.corrected.includes(field),
    busy: isPending,
    correct: (change: SampleChange) => mutate(change, { onError: failed }),
    back: () => mutate({ [field]: null }, { onError: failed }),
  }
}

export function Corrected({
  on,
  busy,
  machine,
  onBack,
}: {
  on: boolean
  busy: boolean
  machine: string
  onBack: () => void
}) {
  if (!on) return null
  return (
    <Button
      look="quiet"
      className="-mr-2 h-6 text-accent!"
      busy={busy}
      title={`The machine found ${machine}`}
      onClick={onBack}
    >
      <Undo2 size={12} /> Back to {machine}
    </Button>
  )
}

export function Big({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <p className={`font-mono text-2xl leading-8 font-medium ${className}`}>{children}</p>
}

export function Certainty({ value, corrected }: { value: number | undefined; corrected: boolean }) {
  if (corrected) return <p className="text-xs text-accent">Corrected by you</p>
  if (value === undefined) return null
  return (
    <p className="text-xs text-dim">
      {certainty(value)}, <span className="font-mono">{percent(value)}</span>
    </p>
  )
}

/** A value that could be the right one, for one press. */
export function Choice({
  value,
  note,
  confidence,
  disabled,
  onChoose,
}: {
  value: ReactNode
  note?: string | null
  confidence: number | undefined
  disabled: boolean
  onChoose: () => void
}) {
  return (
    <li>
      <button
        type="button"
        disabled={disabled}
        onClick={onChoose}
        className="flex h-7 w-full items-center gap-2 rounded-md px-2 text-xs text-soft hover:bg-hover hover:text-ink disabled:opacity-50"
      >
        <span className="font-mono text-ink">{value}</span>
        {note && <span className="truncate text-dim">{note}</span>}
        {confidence !== undefined && (
          <span className="ml-auto font-mono text-2xs text-dim">{percent(confidence)}</span>
        )}
      </button>
    </li>
  )
}

export function Choices({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="mt-3">
      <h3 className="text-2xs text-dim">{label}</h3>
      <ul aria-label={label} className="-mx-2">
        {children}
      </ul>
    </div>
  )
}

/** What the file says about itself; where it says something else, for one press. */
export function Hinted({
  hints,
  agrees,
  use,
  disabled,
}: {
  hints: { value: string; sources: string[] }[]
  agrees: (value: string) => boolean
  /** Undefined for what cannot be chosen. */
  use?: (value: string) => void
  disabled: boolean
}) {
  return hints.map((hint) => {
    const same = agrees(hint.value)
    return (
      <p key={hint.value} className="mt-1 flex flex-wrap items-center gap-x-2 text-xs text-soft">
        <span>
          {said(hint)}
          {same && ', too'}
        </span>
        {!same && use && (
          <Button
            look="quiet"
            className="-ml-1.5 h-6 px-1.5 text-accent!"
            disabled={disabled}
            onClick={() => use(hint.value)}
          >
            Use {hint.value}
          </Button>
        )}
      </p>
    )
  })
}
