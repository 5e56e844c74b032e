import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { config } from '@/api/config'
import { fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { resendVerification } from './api'
import { AuthTitle, FormFailure } from './form'

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
            confirm the address, then sign in.
          </>
        }
      >
        Check your mail
      </AuthTitle>
      {config().development && (
        <p className="mb-5 rounded-md border border-[#5a4a1c] bg-[#2a220d] px-3 py-2 text-soft">
          This server runs in development and sends no mail. Read it in the{' '}
          <a href="/outbox" className="font-medium text-warn underline">
            outbox
          </a>
          .
        </p>
      )}
      <Form onSubmit={() => resend.mutate()} busy={resend.isPending} error={resend.error}>
        <Field
          label="Nothing came? Send it again to"
          type="email"
          autoComplete="username"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={fieldErrors(resend.error).email}
        />
        <FormFailure error={resend.error} />
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
