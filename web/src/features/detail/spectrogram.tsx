import { useCallback } from 'react'
import type { Analysis } from '@/api/types'
import { seconds } from '@/features/samples'
import { Canvas, type Surface } from './canvas'
import { drawPicture } from './drawing'
import { octavePlaces } from './octaves'
import type { Range } from './waveform-columns'

interface SpectrogramProps {
  picture: ImageBitmap
  analysis: Analysis
  range: Range
}

export function Spectrogram({ picture, analysis, range }: SpectrogramProps) {
  const draw = useCallback((surface: Surface) => drawPicture(surface, picture, range), [picture, range])
  return (
    <div className="relative h-40 border-t border-line">
      <Canvas label={described(analysis)} draw={draw} className="size-full" />
      {octavePlaces(analysis.sample_rate).map(({ label, place }) => (
        <span
          key={label}
          aria-hidden
          className="pointer-events-none absolute left-1 -translate-y-1/2 rounded bg-[#0d0d12b0] px-1 font-mono text-2xs text-soft"
          style={{ top: `${place * 100}%` }}
        >
          {label}
        </span>
      ))}
    </div>
  )
}

/** What there is to see, for who cannot see it. */
function described({ duration, spectral }: Analysis): string {
  const { centroid_hz, rolloff_hz } = spectral
  return (
    `Spectrogram of ${seconds(duration)} seconds, low notes at the bottom: ` +
    `centred on ${Math.round(centroid_hz)} hertz, most of it below ${Math.round(rolloff_hz)}`
  )
}
