import { useMutation } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { passkeysSupported, provePasskey } from '@/api/passkeys'
import { fieldErrors, isProblem } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { type Proof, type SecondStep, takeSecondStep } from './api'
import { AuthTitle, FormFailure } from './form'

interface SecondStepProps {
  step: SecondStep
  onDone: () => void
  onBack: () => void
}

/** After the password: a code from the app, a passkey, or a recovery code when both are lost. */
export function SecondStepForm({ step, onDone, onBack }: SecondStepProps) {
  const [lost, setLost] = useState(!step.methods.includes('totp') && !step.methods.includes('passkey'))
  const [code, setCode] = useState('')
  const prove = useMutation({
    mutationFn: (proof: Proof) => takeSecondStep(step.challenge, proof),
    onSuccess: onDone,
  })
  const passkey = useMutation({
    mutationFn: async () => prove.mutateAsync({ credential: await provePasskey(step.passkeyOptions) }),
  })
  const app = step.methods.includes('totp') && !lost
  const kind = lost ? 'recovery_code' : 'code'
  const failure = prove.error ?? passkey.error

  return (
    <>
      <AuthTitle
        lead={
          lost
            ? 'Each recovery code works once.'
            : app
              ? 'Enter the six digits your authenticator app shows.'
              : 'This account asks for a passkey after the password.'
        }
      >
        {lost ? 'Use a recovery code' : 'Confirm that it is you'}
      </AuthTitle>
      <Form
        onSubmit={() =>
          prove.mutate(lost ? { recovery_code: code.trim() } : { code: code.replace(/\s/g, '') })
        }
        busy={prove.isPending}
        error={failure}
      >
        {(app || lost) && (
          <Field
            key={lost ? 'recovery' : 'app'}
            label={lost ? 'Recovery code' : 'Code'}
            name="code"
            inputMode={lost ? 'text' : 'numeric'}
            autoComplete="one-time-code"
            autoFocus
            value={code}
            onChange={(event) => setCode(event.target.value)}
            error={fieldErrors(prove.error)[kind]}
          />
        )}
        <FormFailure error={failure} beside={[kind]}>
          {isProblem(failure, 'challenge-expired') && (
            <button type="button" className="text-accent underline" onClick={onBack}>
              Start again
            </button>
          )}
        </FormFailure>
        {(app || lost) && (
          <Button type="submit" look="primary" large busy={prove.isPending} disabled={!code.trim()}>
            Continue
          </Button>
        )}
        {!lost && step.methods.includes('passkey') && passkeysSupported() && (
          <Button
            large
            look={app ? 'plain' : 'primary'}
            busy={passkey.isPending}
            onClick={() => passkey.mutate()}
          >
            <KeyRound size={14} aria-hidden /> Use a passkey
          </Button>
        )}
      </Form>
      <p className="mt-5 flex justify-center gap-4">
        <button type="button" className="text-soft underline-offset-2 hover:underline" onClick={onBack}>
          Back
        </button>
        {step.methods.includes('recovery-code') && (
          <button
            type="button"
            className="text-accent underline-offset-2 hover:underline"
            onClick={() => {
              setLost(!lost)
              setCode('')
              prove.reset()
              passkey.reset()
            }}
          >
            {lost ? 'Use the app or a passkey' : 'Lost them? Use a recovery code'}
          </button>
        )}
      </p>
    </>
  )
}
