import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { config } from '@/api/config'
import { passkeysSupported } from '@/api/passkeys'
import { fieldErrors, isProblem } from '@/api/problem'
import { useSession } from '@/api/session'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { type SecondStep, signIn, signInWithPasskey } from './api'
import { AuthTitle, FormFailure } from './form'
import { SecondStepForm } from './second-step'

const route = getRouteApi('/visitor/login')

export function LoginPage() {
  const { next } = route.useSearch()
  const router = useRouter()
  const [step, setStep] = useState<SecondStep | null>(null)
  const enter = () => router.history.push(next ?? '/samples')
  if (step) return <SecondStepForm step={step} onDone={enter} onBack={() => setStep(null)} />
  return <PasswordForm onDone={enter} onSecondStep={setStep} />
}

interface PasswordFormProps {
  onDone: () => void
  onSecondStep: (step: SecondStep) => void
}

function PasswordForm({ onDone, onSecondStep }: PasswordFormProps) {
  const expired = useSession((session) => session.expired)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const login = useMutation({
    mutationFn: () => signIn({ email, password }),
    onSuccess: (step) => (step ? onSecondStep(step) : onDone()),
  })
  const passkey = useMutation({ mutationFn: signInWithPasskey, onSuccess: onDone })
  const errors = fieldErrors(login.error)

  return (
    <>
      <AuthTitle lead={expired ? 'Your session has ended. Sign in to go on where you were.' : undefined}>
        Sign in
      </AuthTitle>
      <Form onSubmit={() => login.mutate()} busy={login.isPending} error={login.error}>
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="username webauthn"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={errors.email}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={errors.password}
        />
        <FormFailure error={login.error ?? passkey.error} beside={['email', 'password']}>
          {isProblem(login.error, 'email-not-verified') && (
            <Link to="/check-mail" search={{ email }} className="text-accent underline">
              Send the link again
            </Link>
          )}
        </FormFailure>
        <Button type="submit" look="primary" large busy={login.isPending}>
          Sign in
        </Button>
        {passkeysSupported() && (
          <Button large busy={passkey.isPending} onClick={() => passkey.mutate()}>
            <KeyRound size={14} aria-hidden /> Sign in with a passkey
          </Button>
        )}
      </Form>
      <p className="mt-5 flex justify-center gap-4 text-soft">
        <Link to="/forgot-password" className="text-accent underline-offset-2 hover:underline">
          Forgot your password?
        </Link>
        {config().registration && (
          <Link to="/register" className="font-medium text-accent underline-offset-2 hover:underline">
            Create an account
          </Link>
        )}
      </p>
    </>
  )
}
