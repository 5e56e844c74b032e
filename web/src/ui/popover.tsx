import { Popover as Base } from '@base-ui/react/popover'
import { ChevronDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { classes } from './classes'

interface PopoverProps {
  /** What stands on the button. */
  label: ReactNode
  title: string
  /** Lit when what the popover sets is in effect. */
  active?: boolean
  children: ReactNode
  className?: string
}

export function Popover({ label, title, active, children, className }: PopoverProps) {
  return (
    <Base.Root>
      <Base.Trigger
        className={classes(
          'inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md border px-2.5 text-xs whitespace-nowrap select-none transition-colors',
          active
            ? 'border-[#6b4220] bg-accent-wash text-accent'
            : 'border-line bg-raised hover:border-[#3a342f] hover:bg-hover data-popup-open:bg-hover',
        )}
      >
        {label}
        <ChevronDown size={12} className={active ? '' : 'text-dim'} />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={5} align="start" className="z-40">
          <Base.Popup className={classes('popup p-3', className)}>
            <Base.Title className="sr-only">{title}</Base.Title>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
