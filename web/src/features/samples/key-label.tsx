import { wheelKey } from './music'

/** Literal class names, so that the stylesheet is built with all twelve. */
const HUES = [
  'camelot-1',
  'camelot-2',
  'camelot-3',
  'camelot-4',
  'camelot-5',
  'camelot-6',
  'camelot-7',
  'camelot-8',
  'camelot-9',
  'camelot-10',
  'camelot-11',
  'camelot-12',
] as const

export function camelotClass(hour: number): string {
  return HUES[hour - 1] ?? ''
}

export function KeyLabel({ value }: { value: string | null }) {
  const entry = value ? wheelKey(value) : undefined
  if (!entry) return <span className="text-edge">–</span>
  return (
    <span className="font-mono">
      <span className="text-ink">{entry.key}</span>{' '}
      <span className={`text-2xs ${camelotClass(entry.hour)}`}>{entry.camelot}</span>
    </span>
  )
}
