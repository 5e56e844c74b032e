/** What the engine found, as choices and words for the person who knows better. */
import type { Analysis, Hint, TempoGuess } from '@/api/types'
import { bpm } from '@/features/samples/format'
import { ALL_KEYS, relation } from '@/features/samples/music'

/** Below this share an alternative is only there to have a half and a double. */
const LEAST_LIKELY = 0.01
const MOST_CHOICES = 3

/** How sure the engine is, in words. */
export function certainty(confidence: number): string {
  if (confidence >= 0.9) return 'sure'
  if (confidence >= 0.7) return 'fairly sure'
  return confidence >= 0.4 ? 'unsure' : 'a guess'
}

export const sameTempo = (one: number, other: number) => Math.abs(one / other - 1) < 0.005

/** The engine's tempi that are neither shown nor one press of ×2 or ÷2 away, likeliest first. */
export function otherTempi(found: Analysis['tempo'], shown: number | null): TempoGuess[] {
  if (!found) return []
  return [found, ...found.alternatives]
    .filter(({ confidence }) => confidence >= LEAST_LIKELY)
    .filter((guess) => shown === null || ![0.5, 1, 2].some((octave) => sameTempo(guess.bpm, shown * octave)))
    .sort((one, other) => other.confidence - one.confidence)
    .slice(0, MOST_CHOICES)
}

/** How likely the engine thought a tempo; undefined when it did not consider it. */
export function tempoConfidence(found: Analysis['tempo'], tempo: number): number | undefined {
  const guess = found && [found, ...found.alternatives].find((other) => sameTempo(other.bpm, tempo))
  return guess && guess.confidence >= LEAST_LIKELY ? guess.confidence : undefined
}

interface KeyChoice {
  key: string
  relation: ReturnType<typeof relation>
  /** Undefined for a relative that the engine did not consider. */
  confidence: number | undefined
}

/** The engine's other keys, likeliest first, and in any case the relative and the parallel of the one shown. */
export function otherKeys(found: Analysis['key'], shown: string | null): KeyChoice[] {
  const guesses = found ? [found, ...found.alternatives] : []
  const likely = guesses
    .filter(({ key, confidence }) => key !== shown && confidence >= LEAST_LIKELY)
    .sort((one, other) => other.confidence - one.confidence)
    .slice(0, MOST_CHOICES)
  const related = ALL_KEYS.map(({ key }) => key).filter(
    (key) =>
      shown &&
      ['relative', 'parallel'].includes(relation(shown, key) ?? '') &&
      likely.every((guess) => guess.key !== key),
  )
  return [
    ...likely.map(({ key, confidence }) => ({ key, confidence })),
    ...related.map((key) => ({ key, confidence: undefined })),
  ].map((choice) => ({ ...choice, relation: shown ? relation(shown, choice.key) : null }))
}

/** What the file says about itself, each thing once, with everybody who says it. */
export function hints(analysis: Analysis, subject: Hint['subject']): { value: string; sources: string[] }[] {
  const said = new Map<string, string[]>()
  for (const hint of analysis.hints?.found ?? []) {
    if (hint.subject !== subject) continue
    const value = subject === 'tempo' ? bpm(Number(hint.value)) : hint.value
    const sources = said.get(value) ?? []
    if (!sources.includes(hint.source)) said.set(value, [...sources, hint.source])
  }
  return [...said].map(([value, sources]) => ({ value, sources }))
}

/** "The file name says 92" */
export function said({ value, sources }: { value: string; sources: string[] }): string {
  const [first = '', ...others] = sources
  const all = [`The ${first}`, ...others.map((source) => `the ${source}`)]
  const last = all.pop()
  return all.length ? `${all.join(', ')} and ${last} say ${value}` : `${last} says ${value}`
}

/** "12 cents sharp"; nothing for what nobody hears. */
export function deviation(cents: number): string | null {
  const whole = Math.round(Math.abs(cents))
  return whole < 5 ? null : `${whole} cents ${cents > 0 ? 'sharp' : 'flat'}`
}

export const centsOff = (midi: number) => 100 * (midi - Math.round(midi))

const CLASSES: Record<string, string> = {
  'closed-hat': 'Closed hat',
  'open-hat': 'Open hat',
  'drum-loop': 'Drum loop',
  'melodic-loop': 'Melodic loop',
  fx: 'Effect',
}

export function className(name: string): string {
  return CLASSES[name] ?? name.charAt(0).toUpperCase() + name.slice(1)
}

/** The next likely classes, as far as they are worth a word. */
export function otherClasses(found: NonNullable<Analysis['sound_class']>): [name: string, share: number][] {
  return Object.entries(found.probabilities ?? {})
    .filter(([name, share]) => name !== found.name && share >= 0.05)
    .sort(([, one], [, other]) => other - one)
    .slice(0, 2)
}
