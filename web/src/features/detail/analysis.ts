import type { Analysis, SampleDetail } from '@/api/types'

/** The engine's findings, which the API hands on without describing their inside. */
export function analysisOf(sample: SampleDetail): Analysis | null {
  return sample.analysis as unknown as Analysis | null
}

export interface Trait {
  word: string
  number: string
  name: string
  meaning: string
  warn?: boolean
}

/** Engines before the second drew no spectrograms. */
export function hasSpectrogram({ engine_version }: Analysis): boolean {
  return Number(engine_version) >= 2
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

const time = (value: number) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`)

/** Below this, silence at an end is the file's own resolution. */
const SILENCE_WORTH_A_WORD = 0.005

/** How the sound comes, goes and stands between two speakers; nothing that an older engine did not look for. */
export function course({ envelope, silence, mono_compatibility }: Analysis): Trait[] {
  const found: Trait[] = []
  if (envelope && (envelope.attack > 0 || envelope.decay > 0)) {
    found.push(
      {
        name: 'Attack',
        meaning: 'From a tenth to nine tenths of the highest level',
        number: time(envelope.attack),
        word: scale(
          envelope.attack,
          [
            [0.006, 'instant'],
            [0.025, 'snappy'],
            [0.1, 'soft'],
          ],
          'slow',
        ),
      },
      {
        name: 'Decay',
        meaning: 'From the highest level until it has fallen by 20 dB',
        number: time(envelope.decay),
        word: scale(
          envelope.decay,
          [
            [0.08, 'very short'],
            [0.3, 'short'],
            [1, 'medium'],
          ],
          'long',
        ),
      },
    )
  }
  if (silence) {
    const ends = [
      ['Lead-in', 'Silence before the sound', silence.start],
      ['Tail', 'Silence after the sound', silence.end],
    ] as const
    for (const [name, meaning, length] of ends) {
      const none = length < SILENCE_WORTH_A_WORD
      found.push({ name, meaning, number: none ? '' : time(length), word: none ? 'none' : 'silent' })
    }
  }
  if (mono_compatibility) {
    const { correlation, loss_db } = mono_compatibility
    found.push(
      {
        name: 'Stereo',
        meaning: 'Correlation of left and right: 1 is the same, -1 is upside down',
        number: correlation.toFixed(2),
        warn: correlation < -0.3,
        word:
          correlation > 0.98
            ? 'as good as mono'
            : scale(
                -correlation,
                [
                  [-0.6, 'narrow'],
                  [-0.2, 'wide'],
                  [0.3, 'very wide'],
                ],
                'out of phase',
              ),
      },
      {
        name: 'In mono',
        meaning: 'How much quieter both channels are together',
        number: `${loss_db.toFixed(1)} dB`,
        warn: loss_db < -6,
        word: scale(
          -loss_db,
          [
            [1.5, 'keeps its level'],
            [4, 'a little quieter'],
            [6, 'quieter'],
          ],
          'cancels itself out',
        ),
      },
    )
  }
  return found
}
