import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { config } from '@/api/config'
import { fieldErrors, Problem } from '@/api/problem'
import { useSession } from '@/api/session'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { signIn } from './api'
import { AuthTitle, FormFailure } from './form'

const route = getRouteApi('/visitor/login')

export function LoginPage() {
  const { next } = route.useSearch()
  const router = useRouter()
  const expired = useSession((session) => session.expired)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const login = useMutation({
    mutationFn: () => signIn({ email, password }),
    onSuccess: () => router.history.push(next ?? '/samples'),
  })
  const errors = fieldErrors(login.error)
  const unverified = login.error instanceof Problem && login.error.code === 'email-not-verified'

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
          autoComplete="username"
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
        <FormFailure error={login.error}>
          {unverified && (
            <Link to="/check-mail" search={{ email }} className="text-accent underline">
              Send the link again
            </Link>
          )}
        </FormFailure>
        <Button type="submit" look="primary" large busy={login.isPending}>
          Sign in
        </Button>
      </Form>
      {config().registration && (
        <p className="mt-5 text-center text-soft">
          New here?{' '}
          <Link to="/register" className="font-medium text-accent underline-offset-2 hover:underline">
            Create an account
          </Link>
        </p>
      )}
    </>
  )
}
