import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { FormFailure } from '@/features/auth/form'
import { Button } from '@/ui/button'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { notify } from '@/ui/toast'
import { Section } from '../section'
import { useChangePassword } from './api'

const EMPTY = { current_password: '', new_password: '' }

export function PasswordSection() {
  const [values, setValues] = useState(EMPTY)
  const change = useChangePassword(() => {
    setValues(EMPTY)
    notify('Password changed. Your other devices are signed out.')
  })
  const errors = fieldErrors(change.error)
  const field = (name: keyof typeof EMPTY) => ({
    type: 'password',
    value: values[name],
    error: errors[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setValues({ ...values, [name]: event.target.value }),
  })

  return (
    <Section title="Password" lead="A change signs out every other device.">
      <Form
        className="max-w-sm"
        onSubmit={() => change.mutate(values)}
        busy={change.isPending}
        error={change.error}
      >
        <Field label="Current password" autoComplete="current-password" {...field('current_password')} />
        <Field
          label="New password"
          autoComplete="new-password"
          hint="A sentence you can remember is better than a short riddle."
          {...field('new_password')}
        />
        <FormFailure error={change.error} beside={['current_password', 'new_password']} />
        <Button
          type="submit"
          large
          className="self-start"
          busy={change.isPending}
          disabled={!values.current_password || !values.new_password}
        >
          Change password
        </Button>
      </Form>
    </Section>
  )
}
