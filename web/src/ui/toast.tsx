import { Toast } from '@base-ui/react/toast'
import { CircleAlert, X } from 'lucide-react'
import { explain, Problem } from '@/api/problem'
import { classes } from './classes'

const toasts = Toast.createToastManager()

interface Action {
  label: string
  run: () => void
}

export function notify(title: string, action?: Action): void {
  const id = toasts.add({
    title,
    timeout: action ? 8000 : 4000,
    actionProps: action && {
      children: action.label,
      onClick: () => {
        toasts.close(id)
        action.run()
      },
    },
  })
}

export function notifyFailure(what: string, error: unknown): void {
  const request = error instanceof Problem && error.requestId ? ` (request ${error.requestId})` : ''
  toasts.add({
    title: what,
    description: explain(error) + request,
    type: 'error',
    timeout: 9000,
    priority: 'high',
  })
}

export function Toasts({ children }: { children: React.ReactNode }) {
  return (
    <Toast.Provider toastManager={toasts} limit={4}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-20 z-60 flex w-80 flex-col gap-2 outline-none">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function ToastList() {
  const { toasts: shown } = Toast.useToastManager()
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className={classes(
        'popup transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0',
        toast.type === 'error' && 'border-[#5a2a24]',
      )}
    >
      <Toast.Content className="flex items-center gap-2.5 py-2 pr-2 pl-3">
        {toast.type === 'error' && <CircleAlert size={15} className="shrink-0 text-danger" aria-hidden />}
        <div className="min-w-0 flex-1">
          <Toast.Title render={<p />} className="font-medium break-words" />
          <Toast.Description className="text-xs break-words text-soft" />
        </div>
        <Toast.Action className="h-7 rounded-md px-2 text-xs font-semibold text-accent hover:bg-hover" />
        <Toast.Close
          aria-label="Dismiss"
          className="grid size-6 shrink-0 place-items-center rounded text-dim hover:bg-hover hover:text-ink"
        >
          <X size={13} />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}
