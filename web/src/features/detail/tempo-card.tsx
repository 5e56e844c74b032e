import { useState } from 'react'
import { explain, fieldErrors } from '@/api/problem'
import type { Analysis, SampleDetail } from '@/api/types'
import { bpm, percent, useChangeSample } from '@/features/samples'
import { Button } from '@/ui/button'
import { Input } from '@/ui/input'
import { Card } from './card'
import { Big, Certainty, Choice, Choices, Corrected, Hinted, useCorrection } from './correction'
import { hints, otherTempi, sameTempo, tempoConfidence } from './findings'

const SLOWEST = 20
const FASTEST = 400

export function TempoCard({ sample, analysis }: { sample: SampleDetail; analysis: Analysis }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'tempo')
  const { tempo } = sample
  const found = analysis.tempo
  const others = otherTempi(found, tempo)
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
      <Hinted
        hints={hints(analysis, 'tempo')}
        agrees={(value) => tempo !== null && sameTempo(Number(value), tempo)}
        use={(value) => correct({ tempo: Number(value) })}
        disabled={busy}
      />
      <div className="mt-3 flex flex-wrap items-center gap-1.5">
        {tempo !== null && (
          <>
            <Octave sign="÷2" to={tempo / 2} found={found} busy={busy} onChoose={correct} />
            <Octave sign="×2" to={tempo * 2} found={found} busy={busy} onChoose={correct} />
          </>
        )}
        <OwnTempo sample={sample} />
      </div>
      {others.length > 0 && (
        <Choices label="Also possible">
          {others.map((other) => (
            <Choice
              key={other.bpm}
              value={`${bpm(other.bpm)} BPM`}
              confidence={other.confidence}
              disabled={busy}
              onChoose={() => correct({ tempo: other.bpm })}
            />
          ))}
        </Choices>
      )}
    </Card>
  )
}

function Octave({
  sign,
  to,
  found,
  busy,
  onChoose,
}: {
  sign: string
  to: number
  found: Analysis['tempo']
  busy: boolean
  onChoose: (change: { tempo: number }) => void
}) {
  const confidence = tempoConfidence(found, to)
  return (
    <Button
      disabled={busy || to < SLOWEST || to > FASTEST}
      title={confidence === undefined ? undefined : `Also possible, ${percent(confidence)}`}
      onClick={() => onChoose({ tempo: to })}
    >
      {sign} <span className="font-mono text-2xs text-dim">{bpm(to)}</span>
    </Button>
  )
}

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
