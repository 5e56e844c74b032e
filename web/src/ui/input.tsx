import type { ComponentProps } from 'react'
import { classes } from './classes'

export const inputClasses =
  'h-7 rounded-md border border-line bg-ground px-2 text-ink placeholder:text-dim hover:border-[#3a342f] focus:border-accent focus:outline-none focus-visible:outline-2 focus-visible:outline-accent aria-invalid:border-danger'

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={classes(inputClasses, className)} {...rest} />
}
