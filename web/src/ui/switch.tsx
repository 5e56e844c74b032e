import { Switch as Base } from '@base-ui/react/switch'
import type { ReactNode } from 'react'
import { classes } from './classes'

interface SwitchProps {
  checked: boolean
  onChange: (checked: boolean) => void
  children: ReactNode
  disabled?: boolean
  className?: string
}

export function Switch({ checked, onChange, children, disabled, className }: SwitchProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: Base UI renders the input inside the label
    <label className={classes('inline-flex items-center gap-2 text-xs text-soft select-none', className)}>
      <Base.Root
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        className="flex h-4 w-7 shrink-0 rounded-full bg-edge p-0.5 transition-colors data-checked:bg-accent data-disabled:opacity-50"
      >
        <Base.Thumb className="size-3 rounded-full bg-white transition-transform data-checked:translate-x-3 data-checked:bg-accent-ink" />
      </Base.Root>
      {children}
    </label>
  )
}
