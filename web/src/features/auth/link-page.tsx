import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button, buttonClasses } from '@/ui/button'
import { AuthTitle, FormFailure, IncompleteLink } from './form'

interface LinkPageProps {
  token: string | undefined
  title: string
  lead: string
  action: string
  done: string
  doneLead: string
  use: (token: string) => Promise<void>
}

/** What a mailed link leads to. It acts on a click, not on load: mail scanners open links, and a link works once. */
export function LinkPage({ token, title, lead, action, done, doneLead, use }: LinkPageProps) {
  const follow = useMutation({ mutationFn: use })
  if (!token) return <IncompleteLink again="/login" />
  if (follow.isSuccess) {
    return (
      <>
        <AuthTitle lead={doneLead}>{done}</AuthTitle>
        <Link to="/login" className={buttonClasses('primary', true)}>
          Go on
        </Link>
      </>
    )
  }
  return (
    <>
      <AuthTitle lead={lead}>{title}</AuthTitle>
      <div className="flex flex-col gap-3">
        <FormFailure error={follow.error} />
        <Button look="primary" large busy={follow.isPending} onClick={() => follow.mutate(token)}>
          {action}
        </Button>
      </div>
    </>
  )
}
