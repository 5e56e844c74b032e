import type { Analysis, SampleDetail } from '@/api/types'
import { ALL_KEYS, camelotClass, isKey, percent, wheelKey } from '@/features/samples'
import { Select } from '@/ui/select'
import { Card } from './card'
import { Big, Certainty, Choice, Choices, Corrected, Hinted, useCorrection } from './correction'
import { centsOff, certainty, deviation, hints, otherKeys } from './findings'

const RELATIONS = { relative: 'relative', parallel: 'parallel', fifth: 'a fifth away' } as const

export function KeyCard({ sample, analysis }: { sample: SampleDetail; analysis: Analysis }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'key')
  const found = analysis.key
  const entry = sample.key ? wheelKey(sample.key) : undefined
  const others = otherKeys(found, sample.key)
  const tuning = found ? deviation(found.tuning_cents ?? 0) : null
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
        <p className="text-xs text-dim">{analysis.pitch ? 'A note, no key' : 'Too little pitch to tell'}</p>
      ) : (
        <Certainty value={found?.confidence} corrected={corrected} />
      )}
      {analysis.pitch ? <Note pitch={analysis.pitch} /> : tuning && <Tuning>{tuning} of 440 Hz</Tuning>}
      <Hinted
        hints={hints(analysis, 'key')}
        agrees={(value) => value === sample.key}
        use={(value) => isKey(value) && correct({ key: value })}
        disabled={busy}
      />
      <Hinted
        hints={hints(analysis, 'root')}
        agrees={(value) => analysis.pitch?.note.replace(/-?\d+$/, '') === value}
        disabled={busy}
      />
      <div className="mt-3">
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
      {others.length > 0 && (
        <Choices label="Also possible">
          {others.map((other) => (
            <Choice
              key={other.key}
              value={
                <>
                  {other.key} <span className="text-2xs text-dim">{wheelKey(other.key)?.camelot}</span>
                </>
              }
              note={other.relation && RELATIONS[other.relation]}
              confidence={other.confidence}
              disabled={busy}
              onChoose={() => correct({ key: other.key })}
            />
          ))}
        </Choices>
      )}
    </Card>
  )
}

function Note({ pitch }: { pitch: NonNullable<Analysis['pitch']> }) {
  const off = deviation(centsOff(pitch.midi))
  return (
    <p className="mt-1 text-xs text-soft">
      Note <span className="font-mono text-sm font-medium text-ink">{pitch.note}</span>{' '}
      <span className="font-mono text-2xs text-dim">{pitch.frequency.toFixed(1)} Hz</span>
      {off && `, ${off}`}
      <span className="text-dim">
        , {certainty(pitch.confidence)} {percent(pitch.confidence)}
      </span>
    </p>
  )
}

function Tuning({ children }: { children: React.ReactNode }) {
  return <p className="mt-1 text-xs text-soft">Tuned {children}</p>
}
