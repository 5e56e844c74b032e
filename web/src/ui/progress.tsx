import { classes } from './classes'

interface ProgressProps {
  label: string
  /** 0 to 1; null when how much is left is not known. */
  value: number | null
  tone?: 'accent' | 'good' | 'danger'
  className?: string
}

const TONES = { accent: 'bg-accent', good: 'bg-good', danger: 'bg-danger' } as const

export function Progress({ label, value, tone = 'accent', className }: ProgressProps) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
      className={classes('h-1 overflow-hidden rounded-full bg-[#3a342f]', className)}
    >
      <div
        className={classes(
          'h-full origin-left rounded-full transition-transform',
          TONES[tone],
          value === null && 'animate-pulse-soft',
        )}
        style={{ transform: `scaleX(${value ?? 1})` }}
      />
    </div>
  )
}
