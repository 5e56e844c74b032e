import { AudioLines, Grid2x2, Minus, Plus, Scan } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import type { Analysis, SampleDetail, Waveform } from '@/api/types'
import { count, kindColour, seconds, useSpectrogram, useWaveform } from '@/features/samples'
import { Button, IconButton } from '@/ui/button'
import { Loading } from '@/ui/spinner'
import { hasSpectrogram } from './analysis'
import { Canvas, type Surface } from './canvas'
import { drawWaveform, type Marks } from './drawing'
import { Overview } from './overview'
import { Spectrogram } from './spectrogram'
import { Timeline } from './timeline'
import { showSlices, showSpectrogram, useView } from './view'
import { closest, FINE_POINTS, POINTS, type Range, WHOLE, wantsFiner, zoomed } from './waveform-columns'

export function WaveformView({ sample, analysis }: { sample: SampleDetail; analysis: Analysis }) {
  const { id } = sample
  const engine = analysis.engine_version
  const [range, setRange] = useState(WHOLE)
  const { data: coarse, error, refetch } = useWaveform(id, engine, POINTS)
  const { data: fine } = useWaveform(id, engine, FINE_POINTS, wantsFiner(range))
  const { spectrogram, slices } = useView()
  const drawn = hasSpectrogram(analysis)
  const picture = useSpectrogram(id, engine, drawn && spectrogram)
  const waveform = fine ?? coarse
  const limit = closest(waveform?.points ?? POINTS)
  const zoom = useCallback(
    (factor: number, anchor?: number) =>
      setRange((now) => zoomed(now, factor, anchor ?? (now.start + now.end) / 2, limit)),
    [limit],
  )
  const duration = sample.duration ?? 0
  const pieces = analysis.slices ?? []

  return (
    <section aria-label="Waveform" className="overflow-hidden rounded-lg border border-line bg-panel">
      <Timeline sample={sample} range={range} setRange={setRange} zoom={zoom}>
        <div className="h-52">
          {waveform ? (
            <Outline
              sample={sample}
              analysis={analysis}
              waveform={waveform}
              range={range}
              withSlices={slices}
            />
          ) : error ? (
            <div className="flex h-full items-center justify-center gap-3 text-dim">
              The waveform did not load. <Button onClick={() => void refetch()}>Try again</Button>
            </div>
          ) : (
            <Loading what="the waveform" />
          )}
        </div>
        {drawn && spectrogram && (
          <>
            {picture.data && <Spectrogram picture={picture.data} analysis={analysis} range={range} />}
            {picture.isPending && <div className="h-40 border-t border-line" />}
          </>
        )}
      </Timeline>
      {picture.error && spectrogram && (
        <p className="flex items-center gap-3 border-t border-line px-3 py-2 text-xs text-dim">
          The spectrogram did not load. <Button onClick={() => void picture.refetch()}>Try again</Button>
        </p>
      )}
      <div className="flex flex-wrap items-center gap-x-1 gap-y-1 border-t border-line px-2 py-1">
        <div className="flex h-7 min-w-full flex-1 sm:min-w-40">
          <Overview sample={sample} range={range} setRange={setRange} />
        </div>
        <span className="px-1 font-mono text-2xs whitespace-nowrap text-dim">
          {seconds(range.start * duration)} – {seconds(range.end * duration)} s
        </span>
        <div className="flex-1 sm:hidden" />
        {pieces.length > 1 && (
          <IconButton
            label={`${slices ? 'Hide' : 'Show'} the ${count(pieces.length, 'slice')}`}
            pressed={slices}
            onClick={() => showSlices(!slices)}
          >
            <Grid2x2 size={14} />
          </IconButton>
        )}
        {drawn && (
          <IconButton
            label={`${spectrogram ? 'Hide' : 'Show'} the spectrogram`}
            pressed={spectrogram}
            onClick={() => showSpectrogram(!spectrogram)}
          >
            <AudioLines size={14} />
          </IconButton>
        )}
        <IconButton label="Zoom out" disabled={range.end - range.start >= 1} onClick={() => zoom(2)}>
          <Minus size={14} />
        </IconButton>
        <IconButton label="Zoom in" disabled={range.end - range.start <= limit} onClick={() => zoom(0.5)}>
          <Plus size={14} />
        </IconButton>
        <IconButton label="Show all" disabled={range.end - range.start >= 1} onClick={() => setRange(WHOLE)}>
          <Scan size={14} />
        </IconButton>
      </div>
    </section>
  )
}

interface OutlineProps {
  sample: SampleDetail
  analysis: Analysis
  waveform: Waveform
  range: Range
  withSlices: boolean
}

function Outline({ sample, analysis, waveform, range, withSlices }: OutlineProps) {
  const { onsets, duration } = analysis
  const all = analysis.slices
  const marks = useMemo<Marks>(
    () => ({ onsets, slices: (withSlices && all) || [], duration }),
    [onsets, all, duration, withSlices],
  )
  const fill = kindColour(sample.kind)
  const draw = useCallback(
    (surface: Surface) => drawWaveform(surface, waveform, marks, range, surface.colour(fill.slice(4, -1))),
    [waveform, marks, range, fill],
  )
  return <Canvas label={described(duration, onsets.length, all ?? [])} draw={draw} className="size-full" />
}

function described(duration: number, onsets: number, slices: { source: string }[]): string {
  const where = slices[0]?.source === 'grid' ? ' on the beat' : ''
  const cut = slices.length > 1 ? `, ${count(slices.length, 'slice')}${where}` : ''
  return `Waveform, ${seconds(duration)} seconds, ${count(onsets, 'onset')}${cut}`
}
