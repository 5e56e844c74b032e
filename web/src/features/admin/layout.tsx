import { Link, Outlet } from '@tanstack/react-router'
import { useSession } from '@/api/session'
import { Section } from '@/features/settings/section'
import { PageTabs } from '@/ui/page-tabs'

const PAGES = [
  { to: '/admin/users', label: 'Users' },
  { to: '/admin/audit', label: 'Audit log' },
] as const

export function AdminLayout() {
  const user = useSession((session) => session.grant?.user)
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-5xl px-6 py-8">
        <h1 className="mb-4 text-xl font-semibold tracking-tight">Administration</h1>
        {user?.is_admin && !user.second_factor ? (
          <Section
            title="Administrators need a second factor"
            lead={
              <>
                Set up an authenticator app or a passkey under{' '}
                <Link to="/settings/security" className="text-accent underline">
                  Security
                </Link>
                , then sign in again with it.
              </>
            }
          />
        ) : (
          <>
            <PageTabs label="Administration" pages={PAGES} />
            <Outlet />
          </>
        )}
      </div>
    </div>
  )
}
