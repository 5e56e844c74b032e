import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import type { TotpSetup } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { dateTime } from '@/features/samples'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Section } from '../section'
import { useBeginTotp, useConfirmTotp, useFactors, useRemoveTotp } from './api'
import { RecoveryCodesDialog } from './recovery-codes'

export function AuthenticatorSection() {
  const { data: factors } = useFactors()
  const [setup, setSetup] = useState<TotpSetup | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const [removing, setRemoving] = useState(false)
  const begin = useBeginTotp(setSetup)
  const remove = useRemoveTotp()
  const totp = factors?.totp

  return (
    <Section
      title="Authenticator app"
      lead={
        totp
          ? `In use since ${dateTime(totp.confirmed_at)}. Signing in asks for a code after the password.`
          : 'A code from an app on your phone, asked for after the password: whoever learns your password still cannot get in.'
      }
      aside={
        factors &&
        (totp ? (
          <Button look="danger" onClick={() => setRemoving(true)}>
            Remove
          </Button>
        ) : (
          <Button
            look="primary"
            busy={begin.isPending}
            onClick={() => begin.mutate(undefined, { onError: failed('The app could not be set up') })}
          >
            Set up
          </Button>
        ))
      }
    >
      {setup && (
        <SetupDialog
          setup={setup}
          onClose={() => setSetup(null)}
          onDone={(made) => {
            setSetup(null)
            setCodes(made)
          }}
        />
      )}
      {codes && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
      <Confirm
        open={removing}
        onClose={() => setRemoving(false)}
        title="Remove the authenticator app?"
        description="Your password alone will sign you in, unless you have a passkey."
        action="Remove"
        busy={remove.isPending}
        onConfirm={() => {
          setRemoving(false)
          remove.mutate(undefined, { onError: failed('The app is still in use') })
        }}
      />
    </Section>
  )
}

interface SetupProps {
  setup: TotpSetup
  onClose: () => void
  onDone: (recoveryCodes: string[] | null) => void
}

function SetupDialog({ setup, onClose, onDone }: SetupProps) {
  const [code, setCode] = useState('')
  const confirm = useConfirmTotp(onDone)
  return (
    <Dialog open onClose={onClose} title="Set up the authenticator app">
      <div className="mt-2 grid gap-5 sm:grid-cols-[11rem_1fr]">
        <img
          src={`data:image/svg+xml;utf8,${encodeURIComponent(setup.qr_svg)}`}
          alt="QR code for the authenticator app"
          className="size-44 rounded-md bg-white p-2"
        />
        <div>
          <ol className="mb-3 list-decimal space-y-1.5 pl-4 text-soft">
            <li>Scan the picture with the app.</li>
            <li>
              Or type this key into it:
              <code className="mt-1 block font-mono text-xs break-all text-ink select-all">
                {setup.secret.replace(/(.{4})/g, '$1 ').trim()}
              </code>
            </li>
            <li>Enter the code the app shows.</li>
          </ol>
          <Form
            onSubmit={() => confirm.mutate(code.replace(/\s/g, ''))}
            busy={confirm.isPending}
            error={confirm.error}
          >
            <Field
              label="Code"
              inputMode="numeric"
              autoComplete="one-time-code"
              autoFocus
              value={code}
              onChange={(event) => setCode(event.target.value)}
              error={fieldErrors(confirm.error).code}
            />
            <FormFailure error={confirm.error} beside={['code']} />
            <Button type="submit" look="primary" large busy={confirm.isPending} disabled={!code.trim()}>
              Turn it on
            </Button>
          </Form>
        </div>
      </div>
    </Dialog>
  )
}
