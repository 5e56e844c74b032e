import { AlertDialog } from '@base-ui/react/alert-dialog'
import type { ReactNode } from 'react'
import { Button, buttonClasses } from './button'

interface ConfirmProps {
  open: boolean
  onClose: () => void
  title: string
  description: ReactNode
  action: string
  onConfirm: () => void
  busy?: boolean
}

/** Asks before something that cannot be undone. */
export function Confirm({ open, onClose, title, description, action, onConfirm, busy }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-40 bg-black/60" />
        <AlertDialog.Popup className="popup fixed top-[22vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-sm -translate-x-1/2 p-5">
          <AlertDialog.Title className="mb-1 text-base font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-soft">{description}</AlertDialog.Description>
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Close className={buttonClasses('plain', true)}>Cancel</AlertDialog.Close>
            <Button look="danger" large busy={busy} onClick={onConfirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
