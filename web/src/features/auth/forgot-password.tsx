import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { forgotPassword } from './api'
import { AuthTitle, FormFailure, OutboxHint } from './form'

export function ForgotPasswordPage() {
  const [email, setEmail] = useState('')
  const ask = useMutation({ mutationFn: () => forgotPassword(email) })

  return (
    <>
      <AuthTitle lead="We mail you a link with which you choose a new one.">Forgot your password?</AuthTitle>
      {ask.isSuccess ? (
        <>
          <p role="status" className="mb-4 text-good">
            If there is an account with this address, a link is on its way. It works for half an hour.
          </p>
          <OutboxHint />
        </>
      ) : (
        <Form onSubmit={() => ask.mutate()} busy={ask.isPending} error={ask.error}>
          <Field
            label="E-mail"
            type="email"
            autoComplete="username"
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            error={fieldErrors(ask.error).email}
          />
          <FormFailure error={ask.error} beside={['email']} />
          <Button type="submit" look="primary" large busy={ask.isPending}>
            Send the link
          </Button>
        </Form>
      )}
      <p className="mt-5 text-center">
        <Link to="/login" className="font-medium text-accent underline-offset-2 hover:underline">
          Back to sign in
        </Link>
      </p>
    </>
  )
}
