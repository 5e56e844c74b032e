import { type ComponentProps, type ReactNode, useId } from 'react'
import { classes } from './classes'
import { inputClasses } from './input'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  error?: string
  hint?: ReactNode
}

/** A labelled input whose error is announced and tied to it. */
export function Field({ label, error, hint, className, ...input }: FieldProps) {
  const id = useId()
  const describedBy = error ? `${id}-error` : hint ? `${id}-hint` : undefined
  return (
    <div className={classes('flex flex-col gap-1', className)}>
      <label htmlFor={id} className="text-xs font-medium text-soft">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy}
        className={classes(inputClasses, 'h-9 text-sm')}
        {...input}
      />
      {error ? (
        <p id={`${id}-error`} className="text-xs text-danger">
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-hint`} className="text-xs text-dim">
            {hint}
          </p>
        )
      )}
    </div>
  )
}
