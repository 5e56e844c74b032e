import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { classes } from './classes'

interface DialogProps {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  children?: ReactNode
  wide?: boolean
}

export function Dialog({ open, onClose, title, description, children, wide }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/60 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Popup
          ref={popup}
          // Whoever is asked for something types it at once; true is the first thing that takes the focus.
          initialFocus={() => popup.current?.querySelector<HTMLElement>('input:not([type=checkbox])') ?? true}
          className={classes(
            'popup fixed top-[14vh] left-1/2 z-50 max-h-[76vh] w-[calc(100vw-2rem)] -translate-x-1/2 overflow-y-auto p-5',
            wide ? 'max-w-3xl' : 'max-w-lg',
          )}
        >
          <div className="mb-1 flex items-start justify-between gap-4">
            <Base.Title className="text-base font-semibold">{title}</Base.Title>
            <Base.Close
              aria-label="Close"
              className="-mt-1 -mr-1 grid size-7 place-items-center rounded-md text-dim hover:bg-hover hover:text-ink"
            >
              <X size={15} />
            </Base.Close>
          </div>
          {description && <Base.Description className="mb-3 text-soft">{description}</Base.Description>}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
