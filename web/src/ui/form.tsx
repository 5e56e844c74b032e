import { type ReactNode, useEffect, useRef } from 'react'
import { classes } from './classes'

interface FormProps {
  onSubmit: () => void
  /** While what was sent is being answered. */
  busy: boolean
  error: unknown
  className?: string
  children: ReactNode
}

/** Sends without leaving the page, and only once; a refusal takes the keyboard to the first field it is about. */
export function Form({ onSubmit, busy, error, className, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null)
  // Not `busy` alone: a second Enter can come before the button is drawn disabled.
  const sent = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer of either kind opens the form again
  useEffect(() => {
    if (!busy) sent.current = false
  }, [busy, error])
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [error])
  return (
    <form
      ref={form}
      noValidate
      className={classes('flex flex-col gap-4', className)}
      onSubmit={(event) => {
        event.preventDefault()
        if (sent.current) return
        sent.current = true
        onSubmit()
      }}
    >
      {children}
    </form>
  )
}
