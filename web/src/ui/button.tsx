import type { ComponentProps } from 'react'
import { classes } from './classes'
import { Spinner } from './spinner'

const LOOKS = {
  primary: 'bg-accent text-accent-ink font-semibold hover:bg-[#ffa261] active:bg-accent',
  plain: 'bg-raised text-ink border border-line hover:bg-hover hover:border-[#3a342f]',
  quiet: 'text-soft hover:bg-hover hover:text-ink',
  danger: 'bg-danger-wash text-danger border border-[#5a2a24] hover:bg-[#43201b]',
} as const

export interface ButtonProps extends ComponentProps<'button'> {
  look?: keyof typeof LOOKS
  busy?: boolean
  large?: boolean
}

export function buttonClasses(look: keyof typeof LOOKS = 'plain', large = false): string {
  return classes(
    'inline-flex items-center justify-center gap-1.5 rounded-md whitespace-nowrap select-none transition-colors',
    'disabled:opacity-50 disabled:pointer-events-none aria-busy:opacity-70',
    large ? 'h-9 px-4 text-sm' : 'h-7 px-2.5 text-xs',
    LOOKS[look],
  )
}

export function Button({ look, busy, large, className, children, disabled, type, ...rest }: ButtonProps) {
  return (
    <button
      type={type ?? 'button'}
      aria-busy={busy || undefined}
      disabled={disabled || busy}
      className={classes(buttonClasses(look, large), className)}
      {...rest}
    >
      {busy && <Spinner />}
      {children}
    </button>
  )
}

export interface IconButtonProps extends ComponentProps<'button'> {
  /** What the button does: its accessible name and its title. */
  label: string
  pressed?: boolean
}

export function IconButton({ label, pressed, className, type, ...rest }: IconButtonProps) {
  return (
    <button
      type={type ?? 'button'}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      className={classes(
        'inline-grid size-7 shrink-0 place-items-center rounded-md transition-colors hover:bg-hover hover:text-ink',
        'disabled:pointer-events-none disabled:opacity-40',
        pressed ? 'text-accent' : 'text-dim',
        className,
      )}
      {...rest}
    />
  )
}
