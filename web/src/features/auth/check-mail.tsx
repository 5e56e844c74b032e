import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { resendVerification } from './api'
import { AuthTitle, FormFailure, OutboxHint } from './form'

const route = getRouteApi('/visitor/check-mail')

export function CheckMailPage() {
  const search = route.useSearch()
  const [email, setEmail] = useState(search.email ?? '')
  const resend = useMutation({ mutationFn: () => resendVerification(email) })

  return (
    <>
      <AuthTitle
        lead={
          <>
            We sent a link to{' '}
            {search.email ? <strong className="text-ink">{search.email}</strong> : 'your address'}. Open it to
            confirm the address.
          </>
        }
      >
        Check your mail
      </AuthTitle>
      <OutboxHint />
      <Form onSubmit={() => resend.mutate()} busy={resend.isPending} error={resend.error}>
        <Field
          label="Nothing came? Send it again to"
          type="email"
          autoComplete="username"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={fieldErrors(resend.error).email}
        />
        <FormFailure error={resend.error} beside={['email']} />
        {resend.isSuccess && (
          <p role="status" className="text-good">
            If this address has an account that waits for confirmation, a new link is on its way.
          </p>
        )}
        <Button type="submit" large busy={resend.isPending}>
          Send again
        </Button>
      </Form>
      <p className="mt-5 text-center">
        <Link to="/login" className="font-medium text-accent underline-offset-2 hover:underline">
          Sign in
        </Link>
      </p>
    </>
  )
}
