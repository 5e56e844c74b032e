import { useState } from 'react'
import { explain, fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'

interface NameDialogProps {
  open: boolean
  onClose: () => void
  title: string
  action: string
  initial?: string
  busy: boolean
  error: unknown
  onSubmit: (name: string) => void
}

/** Asks for a collection's name, for a new one or to rename one. */
export function NameDialog({ open, onClose, title, ...form }: NameDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <NameForm {...form} />
    </Dialog>
  )
}

function NameForm({
  initial = '',
  action,
  busy,
  error,
  onSubmit,
}: Omit<NameDialogProps, 'open' | 'onClose' | 'title'>) {
  const [name, setName] = useState(initial)
  const [failedWith, setFailedWith] = useState<string | null>(null)
  const message = error && failedWith === name ? (fieldErrors(error).name ?? explain(error)) : undefined
  return (
    <Form
      className="mt-3"
      busy={busy}
      error={error}
      onSubmit={() => {
        setFailedWith(name)
        onSubmit(name.trim())
      }}
    >
      <Field
        label="Name"
        value={name}
        required
        maxLength={120}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
        error={message}
        hint="It becomes the folder’s name on the card."
      />
      <div className="flex justify-end">
        <Button type="submit" look="primary" large busy={busy} disabled={!name.trim()}>
          {action}
        </Button>
      </div>
    </Form>
  )
}
