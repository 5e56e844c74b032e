import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Button, buttonClasses } from '@/ui/button'
import { verifyEmail } from './api'
import { AuthTitle, FormFailure } from './form'

const route = getRouteApi('/visitor/verify-email')

/** Confirms on a click, not on load: mail scanners open links, and a link works once. */
export function VerifyEmailPage() {
  const { token } = route.useSearch()
  const verify = useMutation({ mutationFn: (used: string) => verifyEmail(used) })

  if (!token) {
    return (
      <>
        <AuthTitle lead="Open the whole link from the mail, or have a new one sent.">
          This link is incomplete
        </AuthTitle>
        <Link to="/check-mail" className={buttonClasses('primary', true)}>
          Send a new link
        </Link>
      </>
    )
  }
  if (verify.isSuccess) {
    return (
      <>
        <AuthTitle lead="Your address is confirmed. You can sign in now.">All set</AuthTitle>
        <Link to="/login" className={buttonClasses('primary', true)}>
          Sign in
        </Link>
      </>
    )
  }
  return (
    <>
      <AuthTitle lead="One click and your account is ready.">Confirm your e-mail address</AuthTitle>
      <div className="flex flex-col gap-3">
        <FormFailure error={verify.error}>
          <Link to="/check-mail" className="text-accent underline">
            Send a new link
          </Link>
        </FormFailure>
        <Button look="primary" large busy={verify.isPending} onClick={() => verify.mutate(token)}>
          Confirm address
        </Button>
      </div>
    </>
  )
}
