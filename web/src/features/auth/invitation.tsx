import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { accounts, ok } from '@/api/client'
import { isProblem } from '@/api/problem'
import { useSession } from '@/api/session'
import { Button, buttonClasses } from '@/ui/button'
import { Loading } from '@/ui/spinner'
import { previewInvitation } from './api'
import { AuthTitle, FormFailure, IncompleteLink } from './form'

const route = getRouteApi('/visitor/invitation')

/** What the link in an invitation leads to: who invites, and the way in for people with and without an account. */
export function InvitationPage() {
  const { token } = route.useSearch()
  const navigate = useNavigate()
  const user = useSession((session) => session.grant?.user)
  const preview = useQuery({
    queryKey: ['invitation', token],
    enabled: Boolean(token),
    queryFn: () => previewInvitation(token ?? ''),
    throwOnError: false,
    retry: false,
  })
  const accept = useMutation({
    mutationFn: async () =>
      ok(await accounts.POST('/api/invitations/accept', { body: { token: token ?? '' } })),
    onSuccess: () => navigate({ to: '/settings/teams' }),
  })

  if (!token) return <IncompleteLink again="/login" />
  if (isProblem(preview.error, 'token-expired-or-used')) {
    return (
      <>
        <AuthTitle lead="It was used, withdrawn or is too old. Ask whoever invited you for a new one.">
          This invitation no longer holds
        </AuthTitle>
        <Link to="/samples" className={buttonClasses('primary', true)}>
          Go to your samples
        </Link>
      </>
    )
  }
  if (preview.error) return <FormFailure error={preview.error} />
  if (!preview.data) return <Loading what="the invitation" />
  const { organization, role } = preview.data
  return (
    <>
      <AuthTitle
        lead={`You are invited as ${role === 'admin' ? 'an admin' : 'a member'}.`}
      >{`Join ${organization}`}</AuthTitle>
      <div className="flex flex-col gap-3">
        <FormFailure error={accept.error} />
        {user ? (
          <Button look="primary" large busy={accept.isPending} onClick={() => accept.mutate()}>
            Join as {user.email}
          </Button>
        ) : (
          <>
            <Link
              to="/login"
              search={{ next: `/invitation?token=${encodeURIComponent(token)}` }}
              className={buttonClasses('primary', true)}
            >
              Sign in to join
            </Link>
            <Link to="/register" className={buttonClasses('plain', true)}>
              Create an account
            </Link>
            <p className="text-center text-xs text-dim">
              A new account finds the invitation under Settings, Teams.
            </p>
          </>
        )}
      </div>
    </>
  )
}
