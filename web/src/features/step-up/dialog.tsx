import { useMutation } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useEffect, useState } from 'react'
import { accounts, ok } from '@/api/client'
import { passkeysSupported, provePasskey } from '@/api/passkeys'
import { fieldErrors } from '@/api/problem'
import { FormFailure } from '@/features/auth/form'
import { useFactors } from '@/features/settings/security/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { answer, useStepUp } from './store'

type Proof = { password: string } | { code: string } | { recovery_code: string }

async function stepUp(proof: Proof): Promise<void> {
  ok(await accounts.POST('/api/auth/step-up', { body: proof }))
}

async function stepUpWithPasskey(): Promise<void> {
  const { challenge, options } = ok(await accounts.POST('/api/auth/step-up/passkey-options'))
  const credential = await provePasskey(options)
  ok(await accounts.POST('/api/auth/step-up', { body: { challenge, credential } }))
}

/** Asks for the password, or for the factor where the account has one, before something dangerous is done. */
export function StepUpDialog() {
  const open = useStepUp((state) => state.pending !== null)
  return (
    <Dialog
      open={open}
      onClose={() => answer(false)}
      title="Confirm that it is you"
      description="This is asked before anything that could lock you out or give your things away."
    >
      {open && <ProofForm />}
    </Dialog>
  )
}

function ProofForm() {
  const { data: factors } = useFactors()
  const [secret, setSecret] = useState('')
  const [lost, setLost] = useState(false)
  const prove = useMutation({ mutationFn: stepUp, onSuccess: () => answer(true) })
  const passkey = useMutation({ mutationFn: stepUpWithPasskey, onSuccess: () => answer(true) })
  useEffect(() => () => setSecret(''), [])
  if (!factors) return null

  const hasPasskey = factors.passkeys.length > 0 && passkeysSupported()
  const withFactor = factors.totp !== null || factors.passkeys.length > 0
  const kind = lost ? 'recovery_code' : withFactor ? 'code' : 'password'
  const asksForText = kind !== 'code' || factors.totp !== null
  const failure = prove.error ?? passkey.error
  const errors = fieldErrors(prove.error)
  return (
    <Form
      className="mt-3"
      onSubmit={() => prove.mutate({ [kind]: kind === 'code' ? secret.replace(/\s/g, '') : secret } as Proof)}
      busy={prove.isPending}
      error={failure}
    >
      {asksForText && (
        <Field
          key={kind}
          label={
            {
              password: 'Password',
              code: 'Code from your authenticator app',
              recovery_code: 'Recovery code',
            }[kind]
          }
          type={kind === 'password' ? 'password' : 'text'}
          inputMode={kind === 'code' ? 'numeric' : 'text'}
          autoComplete={kind === 'password' ? 'current-password' : 'one-time-code'}
          autoFocus
          value={secret}
          onChange={(event) => setSecret(event.target.value)}
          error={errors[kind]}
        />
      )}
      <FormFailure error={failure} beside={[kind]} />
      <div className="flex flex-wrap items-center justify-end gap-2">
        {withFactor && factors.recovery_codes_left > 0 && (
          <button
            type="button"
            className="mr-auto text-xs text-accent underline-offset-2 hover:underline"
            onClick={() => {
              setLost(!lost)
              setSecret('')
              prove.reset()
            }}
          >
            {lost ? 'Use the app or a passkey' : 'Use a recovery code'}
          </button>
        )}
        {hasPasskey && !lost && (
          <Button
            large
            look={asksForText ? 'plain' : 'primary'}
            busy={passkey.isPending}
            onClick={() => passkey.mutate()}
          >
            <KeyRound size={14} aria-hidden /> Use a passkey
          </Button>
        )}
        {asksForText && (
          <Button type="submit" look="primary" large busy={prove.isPending} disabled={!secret}>
            Confirm
          </Button>
        )}
      </div>
    </Form>
  )
}
