import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { passkeysSupported } from '@/api/passkeys'
import type { Passkey } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { dateTime } from '@/features/samples'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { notify } from '@/ui/toast'
import { Section } from '../section'
import { useAddPasskey, useFactors, useRemovePasskey, useRenamePasskey } from './api'
import { RecoveryCodesDialog } from './recovery-codes'

export function PasskeysSection() {
  const { data: factors } = useFactors()
  const [adding, setAdding] = useState(false)
  const [renaming, setRenaming] = useState<Passkey | null>(null)
  const [removing, setRemoving] = useState<Passkey | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const remove = useRemovePasskey()
  const passkeys = factors?.passkeys ?? []

  return (
    <Section
      title="Passkeys"
      lead="Sign in with a fingerprint, a face, a PIN or a security key. Nothing to remember, and nothing a false page could ask you for."
      aside={
        passkeysSupported() && (
          <Button look={passkeys.length ? 'plain' : 'primary'} onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        )
      }
    >
      {passkeys.length > 0 && (
        <ul className="divide-y divide-line">
          {passkeys.map((passkey) => (
            <li key={passkey.id} className="flex items-center gap-3 py-2">
              <KeyRound size={15} className="shrink-0 text-dim" aria-hidden />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">{passkey.name}</p>
                <p className="text-xs text-dim">
                  Added {dateTime(passkey.created_at)}
                  {passkey.last_used_at ? `, last used ${dateTime(passkey.last_used_at)}` : ', never used'}
                  {passkey.backed_up ? ', synced' : ''}
                </p>
              </div>
              <Button look="quiet" onClick={() => setRenaming(passkey)}>
                Rename
              </Button>
              <Button look="danger" onClick={() => setRemoving(passkey)}>
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      {adding && (
        <AddDialog
          onClose={() => setAdding(false)}
          onDone={(made) => {
            setAdding(false)
            setCodes(made)
            notify('Passkey added')
          }}
        />
      )}
      {renaming && <RenameDialog passkey={renaming} onClose={() => setRenaming(null)} />}
      {codes && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
      <Confirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={`Remove ${removing?.name}?`}
        description="It will not sign you in any more. The device keeps it until you delete it there."
        action="Remove"
        busy={remove.isPending}
        onConfirm={() => {
          const id = removing?.id
          setRemoving(null)
          if (id) remove.mutate(id, { onError: failed('The passkey was not removed') })
        }}
      />
    </Section>
  )
}

interface AddProps {
  onClose: () => void
  onDone: (recoveryCodes: string[] | null) => void
}

function AddDialog({ onClose, onDone }: AddProps) {
  const [name, setName] = useState('')
  const add = useAddPasskey(onDone)
  return (
    <Dialog
      open
      onClose={onClose}
      title="Add a passkey"
      description="Your browser asks which device holds it."
    >
      <Form onSubmit={() => add.mutate(name.trim())} busy={add.isPending} error={add.error}>
        <Field
          label="What to call it"
          placeholder="Studio laptop"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <FormFailure error={add.error} />
        <Button
          type="submit"
          look="primary"
          large
          className="self-end"
          busy={add.isPending}
          disabled={!name.trim()}
        >
          Continue
        </Button>
      </Form>
    </Dialog>
  )
}

function RenameDialog({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const [name, setName] = useState(passkey.name)
  const rename = useRenamePasskey(onClose)
  return (
    <Dialog open onClose={onClose} title="Rename the passkey">
      <Form
        className="mt-2"
        onSubmit={() => rename.mutate({ id: passkey.id, name: name.trim() })}
        busy={rename.isPending}
        error={rename.error}
      >
        <Field
          label="Name"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <FormFailure error={rename.error} />
        <Button
          type="submit"
          look="primary"
          large
          className="self-end"
          busy={rename.isPending}
          disabled={!name.trim()}
        >
          Rename
        </Button>
      </Form>
    </Dialog>
  )
}
