import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { Button, buttonClasses } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { resetPassword } from './api'
import { AuthTitle, FormFailure, IncompleteLink } from './form'

const route = getRouteApi('/visitor/reset-password')

export function ResetPasswordPage() {
  const { token } = route.useSearch()
  const [password, setPassword] = useState('')
  const reset = useMutation({ mutationFn: (used: string) => resetPassword(used, password) })

  if (!token) return <IncompleteLink again="/forgot-password" />
  if (reset.isSuccess) {
    return (
      <>
        <AuthTitle lead="Every device has been signed out. Sign in with the new password.">
          Password changed
        </AuthTitle>
        <Link to="/login" className={buttonClasses('primary', true)}>
          Sign in
        </Link>
      </>
    )
  }
  return (
    <>
      <AuthTitle lead="All devices will be signed out.">Choose a new password</AuthTitle>
      <Form onSubmit={() => reset.mutate(token)} busy={reset.isPending} error={reset.error}>
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          autoFocus
          hint="A sentence you can remember is better than a short riddle."
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={fieldErrors(reset.error).password}
        />
        <FormFailure error={reset.error} beside={['password']}>
          <Link to="/forgot-password" className="text-accent underline">
            Send a new link
          </Link>
        </FormFailure>
        <Button type="submit" look="primary" large busy={reset.isPending}>
          Change password
        </Button>
      </Form>
    </>
  )
}
