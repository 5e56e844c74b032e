import type { Analysis, Kind, SampleDetail } from '@/api/types'
import { KINDS, kindColour, percent } from '@/features/samples'
import { Segments } from '@/ui/segments'
import { Card } from './card'
import { Certainty, Corrected, useCorrection } from './correction'
import { certainty, className, otherClasses } from './findings'

export function KindCard({ sample, analysis }: { sample: SampleDetail; analysis: Analysis }) {
  const { corrected, correct, back, busy } = useCorrection(sample, 'kind')
  const name = KINDS.find(({ kind }) => kind === sample.kind)?.one ?? '–'
  const machine = KINDS.find(({ kind }) => kind === analysis.kind.kind)?.one ?? 'none'
  return (
    <Card title="Kind" aside={<Corrected on={corrected} busy={busy} machine={machine} onBack={back} />}>
      <p className="text-2xl leading-8 font-medium" style={{ color: kindColour(sample.kind) }}>
        {name}
      </p>
      <Certainty value={analysis.kind.confidence} corrected={corrected} />
      <div className="mt-3">
        <Segments<Kind>
          label="Kind"
          value={sample.kind ?? 'one-shot'}
          options={KINDS.map(({ kind, one }) => ({ value: kind, label: one }))}
          onChange={(kind) => kind !== sample.kind && correct({ kind })}
        />
      </div>
      {/* Classes are of single sounds and loops. */}
      {analysis.sound_class && sample.kind !== 'track' && <SoundClass found={analysis.sound_class} />}
    </Card>
  )
}

function SoundClass({ found }: { found: NonNullable<Analysis['sound_class']> }) {
  const others = otherClasses(found)
  return (
    <div className="mt-3">
      <h3 className="text-2xs text-dim">Sounds like</h3>
      <p className="text-sm font-medium">
        {className(found.name)}
        <span className="ml-2 text-xs font-normal text-dim">
          {certainty(found.confidence)}, <span className="font-mono">{percent(found.confidence)}</span>
        </span>
      </p>
      {others.length > 0 && (
        <p className="text-xs text-dim">
          or {others.map(([name, share]) => `${className(name).toLowerCase()} ${percent(share)}`).join(', ')}
        </p>
      )}
    </div>
  )
}
