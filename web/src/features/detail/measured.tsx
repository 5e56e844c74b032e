/** What the engine measured, how sure it is, and the ways to put it right. */
import { Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { explain, fieldErrors } from '@/api/problem'
import type { Analysis, Kind, SampleChange, SampleDetail } from '@/api/types'
import {
  ALL_KEYS,
  bpm,
  camelotClass,
  KINDS,
  kindColour,
  percent,
  useChangeSample,
  wheelKey,
} from '@/features/samples'
import { Button } from '@/ui/button'
import { Input } from '@/ui/input'
import { Segments } from '@/ui/segments'
import { Select } from '@/ui/select'
import { notifyFailure } from '@/ui/toast'
import { Card } from './card'

type Correctable = 'tempo' | 'key' | 'kind'

function useCorrection(sample: SampleDetail, field: Correctable) {
  const { mutate, isPending, error } = useChangeSample(sample.id)
  const failed = (problem: unknown) => notifyFailure('The correction was not saved', problem)
  return {
    corrected: sample.corrected.includes(field),
    busy: isPending,
    error,
    correct: (change: SampleChange) => mutate(change, { onError: failed }),
    back: () => mutate({ [field]: null }, { onError: failed }),
  }
}

function Corrected({
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
      className="-mr-2 h-6 text-accent"
      busy={busy}
      title={`The machine found ${machine}`}
      onClick={onBack}
    >
      <Undo2 size={12} /> Back to {machine}
    </Button>
  )
}

function Certainty({ value, corrected }: { value: number | undefined; corrected: boolean }) {
  if (corrected) return <p className="text-xs text-accent">Corrected by you</p>
  if (value === undefined) return null
  const word = value >= 0.75 ? 'sure' : value >= 0.45 ? 'fairly sure' : 'a guess'
  return (
    <p className="text-xs text-dim">
      {word}, <span className="font-mono">{percent(value)}</span>
    </p>
  )
}

function Big({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <p className={`font-mono text-2xl leading-8 font-medium ${className}`}>{children}</p>
}

export function TempoCard({ sample, found }: { sample: SampleDetail; found: Analysis['tempo'] }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'tempo')
  const { tempo } = sample
  const others = (found?.alternatives ?? [])
    .filter(
      (other) => tempo === null || OCTAVES.every((octave) => Math.abs(other.bpm - tempo * octave) > 0.1),
    )
    .slice(0, 3)
  return (
    <Card
      title="Tempo"
      aside={<Corrected on={corrected} busy={busy} machine={found ? bpm(found.bpm) : 'none'} onBack={back} />}
    >
      <Big>
        {tempo === null ? '–' : bpm(tempo)}
        {tempo !== null && <span className="ml-1 text-xs text-dim">BPM</span>}
      </Big>
      {tempo === null && !corrected ? (
        <p className="text-xs text-dim">No steady pulse found</p>
      ) : (
        <Certainty value={found?.confidence} corrected={corrected} />
      )}
      <div className="mt-3 flex flex-wrap items-center gap-1.5">
        {tempo !== null && (
          <>
            <Button disabled={busy || tempo / 2 < SLOWEST} onClick={() => correct({ tempo: tempo / 2 })}>
              ÷2
            </Button>
            <Button disabled={busy || tempo * 2 > FASTEST} onClick={() => correct({ tempo: tempo * 2 })}>
              ×2
            </Button>
          </>
        )}
        {others.map((other) => (
          <Button
            key={other.bpm}
            disabled={busy}
            title={`Also possible, ${percent(other.confidence)}`}
            className="font-mono"
            onClick={() => correct({ tempo: other.bpm })}
          >
            {bpm(other.bpm)}
          </Button>
        ))}
        <OwnTempo sample={sample} />
      </div>
    </Card>
  )
}

/** What ×2 and ÷2 offer already. */
const OCTAVES = [0.5, 1, 2]
const SLOWEST = 20
const FASTEST = 400

function OwnTempo({ sample }: { sample: SampleDetail }) {
  const [text, setText] = useState('')
  const { mutate, error, reset } = useChangeSample(sample.id)
  return (
    <form
      className="contents"
      onSubmit={(event) => {
        event.preventDefault()
        const tempo = Number(text.replace(',', '.'))
        if (text.trim() && Number.isFinite(tempo)) mutate({ tempo }, { onSuccess: () => setText('') })
      }}
    >
      <Input
        aria-label="Your own tempo in BPM"
        placeholder="own"
        inputMode="decimal"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          reset()
        }}
        aria-invalid={error ? true : undefined}
        className="w-14 font-mono text-xs"
      />
      {error && (
        <p role="alert" className="w-full text-xs text-danger">
          {fieldErrors(error).tempo ?? explain(error)}
        </p>
      )}
    </form>
  )
}

export function KeyCard({ sample, found }: { sample: SampleDetail; found: Analysis['key'] }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'key')
  const entry = sample.key ? wheelKey(sample.key) : undefined
  const others = (found?.alternatives ?? []).filter((other) => other.key !== sample.key).slice(0, 3)
  return (
    <Card
      title="Key"
      aside={<Corrected on={corrected} busy={busy} machine={found?.key ?? 'none'} onBack={back} />}
    >
      <Big>
        {entry?.key ?? '–'}
        {entry && <span className={`ml-2 text-base ${camelotClass(entry.hour)}`}>{entry.camelot}</span>}
      </Big>
      {!sample.key && !corrected ? (
        <p className="text-xs text-dim">Too little pitch to tell</p>
      ) : (
        <Certainty value={found?.confidence} corrected={corrected} />
      )}
      <div className="mt-3 flex flex-wrap items-center gap-1.5">
        {others.map((other) => (
          <Button
            key={other.key}
            disabled={busy}
            className="font-mono"
            title={`Also possible, ${percent(other.confidence)}`}
            onClick={() => correct({ key: other.key })}
          >
            {other.key} <span className="text-2xs text-dim">{other.camelot}</span>
          </Button>
        ))}
        <Select
          label="Your own key"
          value={sample.key ?? ''}
          options={[
            ...(sample.key ? [] : [{ value: '', label: 'Own' }]),
            ...ALL_KEYS.map(({ key, camelot }) => ({ value: key, label: `${key}  ${camelot}` })),
          ]}
          onChange={(key) => key && key !== sample.key && correct({ key })}
        />
      </div>
    </Card>
  )
}

export function KindCard({ sample, found }: { sample: SampleDetail; found: Analysis['kind'] | null }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'kind')
  const name = KINDS.find(({ kind }) => kind === sample.kind)?.one ?? '–'
  const machine = KINDS.find(({ kind }) => kind === found?.kind)?.one ?? 'none'
  return (
    <Card title="Kind" aside={<Corrected on={corrected} busy={busy} machine={machine} onBack={back} />}>
      <p className="text-2xl leading-8 font-medium" style={{ color: kindColour(sample.kind) }}>
        {name}
      </p>
      <Certainty value={found?.confidence} corrected={corrected} />
      <div className="mt-3">
        <Segments<Kind>
          label="Kind"
          value={sample.kind ?? 'one-shot'}
          options={KINDS.map(({ kind, one }) => ({ value: kind, label: one }))}
          onChange={(kind) => kind !== sample.kind && correct({ kind })}
        />
      </div>
    </Card>
  )
}

export function LoudnessCard({ loudness }: { loudness: Analysis['loudness'] }) {
  const { integrated_lufs, true_peak_dbtp, sample_peak_dbfs } = loudness
  return (
    <Card title="Loudness">
      <Big>
        {integrated_lufs === null ? 'Silent' : integrated_lufs.toFixed(1)}
        {integrated_lufs !== null && <span className="ml-1 text-xs text-dim">LUFS</span>}
      </Big>
      <p className="text-xs text-dim">{integrated_lufs === null ? '' : level(integrated_lufs)}</p>
      <dl className="mt-3 grid grid-cols-[1fr_auto] gap-y-1 text-xs">
        <dt className="text-dim">True peak</dt>
        <dd className={`font-mono ${(true_peak_dbtp ?? -1) > 0 ? 'text-warn' : ''}`}>
          {decibels(true_peak_dbtp, 'dBTP')}
        </dd>
        <dt className="text-dim">Sample peak</dt>
        <dd className="font-mono">{decibels(sample_peak_dbfs, 'dBFS')}</dd>
      </dl>
    </Card>
  )
}

function level(lufs: number): string {
  if (lufs > -9) return 'very loud'
  if (lufs > -16) return 'loud'
  return lufs > -26 ? 'medium' : 'quiet'
}

function decibels(value: number | null, unit: string): string {
  return value === null ? '–' : `${value > 0 ? '+' : ''}${value.toFixed(1)} ${unit}`
}
