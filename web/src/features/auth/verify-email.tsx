import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { verifyEmail } from './api'
import { AuthTitle, FormFailure, IncompleteLink } from './form'

const route = getRouteApi('/visitor/verify-email')

/** Asks for the password: the link proves the mailbox, the password that the account is the reader's own. */
export function VerifyEmailPage() {
  const { token } = route.useSearch()
  const router = useRouter()
  const [password, setPassword] = useState('')
  const verify = useMutation({
    mutationFn: (used: string) => verifyEmail(used, password),
    onSuccess: () => router.history.push('/samples'),
  })

  if (!token) return <IncompleteLink again="/check-mail" />
  return (
    <>
      <AuthTitle lead="Enter the password you chose, and your account is ready.">
        Confirm your e-mail address
      </AuthTitle>
      <Form onSubmit={() => verify.mutate(token)} busy={verify.isPending} error={verify.error}>
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          autoFocus
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={fieldErrors(verify.error).password}
        />
        <FormFailure error={verify.error} beside={['password']}>
          <Link to="/check-mail" className="text-accent underline">
            Send a new link
          </Link>
        </FormFailure>
        <Button type="submit" look="primary" large busy={verify.isPending}>
          Confirm and sign in
        </Button>
      </Form>
    </>
  )
}
