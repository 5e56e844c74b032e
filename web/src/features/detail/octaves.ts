/** The axis of pitch beside a spectrogram, whose rows are evenly spaced in octaves. */

/** The middle of the engine's lowest row, and of its highest where the sample rate allows it. */
const LOWEST_HZ = 40
const HIGHEST_HZ = 18_000
const LARGEST_SHARE_OF_RATE = 0.45

const LABELS = [
  [100, '100 Hz'],
  [1000, '1 kHz'],
  [10_000, '10 kHz'],
] as const

/** Where each label stands, 0 at the top and 1 at the bottom; none that would be cut off. */
export function octavePlaces(sampleRate: number): { label: string; place: number }[] {
  const highest = Math.min(HIGHEST_HZ, LARGEST_SHARE_OF_RATE * sampleRate)
  return LABELS.map(([hz, label]) => ({
    label,
    place: 1 - Math.log2(hz / LOWEST_HZ) / Math.log2(highest / LOWEST_HZ),
  })).filter(({ place }) => place > 0.05)
}
