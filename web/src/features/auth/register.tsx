import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { config } from '@/api/config'
import { fieldErrors } from '@/api/problem'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { register } from './api'
import { AuthTitle, FormFailure } from './form'

const EMPTY = { first_name: '', last_name: '', email: '', password: '' }
type FieldName = keyof typeof EMPTY

export function RegisterPage() {
  const navigate = useNavigate()
  const [values, setValues] = useState(EMPTY)
  /** Fields changed since the server last complained about them. */
  const [touched, setTouched] = useState<ReadonlySet<FieldName>>(new Set())
  const submit = useMutation({
    mutationFn: () => register(values),
    onSuccess: () => navigate({ to: '/check-mail', search: { email: values.email } }),
    onSettled: () => setTouched(new Set()),
  })
  const errors = fieldErrors(submit.error)

  if (!config().registration) {
    return <AuthTitle lead="Ask whoever runs this server for an account.">Registration is closed</AuthTitle>
  }

  const field = (name: FieldName) => ({
    name,
    value: values[name],
    error: touched.has(name) ? undefined : errors[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      setValues({ ...values, [name]: event.target.value })
      setTouched(new Set([...touched, name]))
    },
  })

  return (
    <>
      <AuthTitle>Create an account</AuthTitle>
      <Form onSubmit={() => submit.mutate()} busy={submit.isPending} error={submit.error}>
        <div className="grid grid-cols-2 gap-3">
          <Field label="First name" autoComplete="given-name" {...field('first_name')} />
          <Field label="Last name" autoComplete="family-name" {...field('last_name')} />
        </div>
        <Field label="E-mail" type="email" autoComplete="username" required {...field('email')} />
        <Field
          label="Password"
          type="password"
          autoComplete="new-password"
          required
          hint="A sentence you can remember is better than a short riddle."
          {...field('password')}
        />
        <FormFailure error={submit.error} beside={Object.keys(EMPTY)} />
        <Button type="submit" look="primary" large busy={submit.isPending}>
          Create account
        </Button>
      </Form>
      <p className="mt-5 text-center text-soft">
        Already have one?{' '}
        <Link to="/login" className="font-medium text-accent underline-offset-2 hover:underline">
          Sign in
        </Link>
      </p>
    </>
  )
}
