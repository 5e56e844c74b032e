import type { Analysis, SampleDetail } from '@/api/types'

/** The engine's findings, which the API hands on without describing their inside. */
export function analysisOf(sample: SampleDetail): Analysis | null {
  return sample.analysis as unknown as Analysis | null
}

interface Trait {
  word: string
  number: string
  name: string
  meaning: string
}

const hertz = (value: number) =>
  value >= 1000 ? `${(value / 1000).toFixed(1)} kHz` : `${Math.round(value)} Hz`

function scale(
  value: number,
  steps: readonly (readonly [below: number, word: string])[],
  last: string,
): string {
  return steps.find(([below]) => value < below)?.[1] ?? last
}

/** What the spectral numbers mean to an ear. */
export function traits({ spectral }: Analysis): Trait[] {
  const { centroid_hz, bandwidth_hz, rolloff_hz, flatness, zero_crossing_rate } = spectral
  return [
    {
      name: 'Brightness',
      meaning: 'Centre of gravity of the spectrum',
      number: hertz(centroid_hz),
      word: scale(
        centroid_hz,
        [
          [600, 'dark'],
          [1500, 'warm'],
          [3000, 'balanced'],
          [5500, 'bright'],
        ],
        'piercing',
      ),
    },
    {
      name: 'Width',
      meaning: 'Spread of the spectrum around its centre',
      number: hertz(bandwidth_hz),
      word: scale(
        bandwidth_hz,
        [
          [800, 'narrow'],
          [2000, 'medium'],
          [3500, 'wide'],
        ],
        'very wide',
      ),
    },
    {
      name: 'Top end',
      meaning: '85 % of the spectrum lies below',
      number: hertz(rolloff_hz),
      word: scale(
        rolloff_hz,
        [
          [1500, 'muffled'],
          [4000, 'soft'],
          [8000, 'open'],
        ],
        'airy',
      ),
    },
    {
      name: 'Noise',
      meaning: 'Spectral flatness: 0 is a tone, 1 is white noise',
      number: flatness.toFixed(3),
      word: scale(
        flatness,
        [
          [0.01, 'tonal'],
          [0.08, 'mostly tonal'],
          [0.25, 'noisy'],
        ],
        'noise',
      ),
    },
    {
      name: 'Roughness',
      meaning: 'Zero crossings per sample',
      number: zero_crossing_rate.toFixed(3),
      word: scale(
        zero_crossing_rate,
        [
          [0.03, 'smooth'],
          [0.1, 'textured'],
          [0.25, 'gritty'],
        ],
        'hissing',
      ),
    },
  ]
}
