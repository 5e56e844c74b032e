import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { loadConfig } from '@/api/config'
import { resumeSession, useSession } from '@/api/session'
import { parseFilters } from '@/features/library/filters'
import { Loading } from '@/ui/spinner'
import { ErrorPage, NotFoundPage } from './error-page'
import { readSearch, writeSearch } from './search-params'

const text = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined)

const withToken = (search: Record<string, unknown>): { token?: string } => ({ token: text(search.token) })

/** Only a path of this app may be gone back to: anything else would let a link send people elsewhere after sign-in. */
export function safeNext(value: unknown): string | undefined {
  const next = text(value)
  return next?.startsWith('/') && !next.startsWith('//') && !next.startsWith('/\\') ? next : undefined
}

const root = createRootRoute({
  component: Outlet,
  beforeLoad: async () => {
    await loadConfigOnce()
    await resumeSession()
  },
  errorComponent: ErrorPage,
  notFoundComponent: NotFoundPage,
})

let configured = false
async function loadConfigOnce(): Promise<void> {
  if (configured) return
  await loadConfig()
  configured = true
}

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/samples', replace: true })
  },
})

const visitor = createRoute({
  getParentRoute: () => root,
  id: 'visitor',
  component: lazyRouteComponent(() => import('@/features/auth/layout'), 'AuthLayout'),
})

const login = createRoute({
  getParentRoute: () => visitor,
  path: '/login',
  validateSearch: (search): { next?: string } => ({ next: safeNext(search.next) }),
  beforeLoad: ({ search }) => {
    if (useSession.getState().status === 'signed-in')
      throw redirect({ href: search.next ?? '/samples', replace: true })
  },
  component: lazyRouteComponent(() => import('@/features/auth/login'), 'LoginPage'),
})

const register = createRoute({
  getParentRoute: () => visitor,
  path: '/register',
  component: lazyRouteComponent(() => import('@/features/auth/register'), 'RegisterPage'),
})

const checkMail = createRoute({
  getParentRoute: () => visitor,
  path: '/check-mail',
  validateSearch: (search): { email?: string } => ({ email: text(search.email) }),
  component: lazyRouteComponent(() => import('@/features/auth/check-mail'), 'CheckMailPage'),
})

const verifyEmail = createRoute({
  getParentRoute: () => visitor,
  path: '/verify-email',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/verify-email'), 'VerifyEmailPage'),
})

const forgotPassword = createRoute({
  getParentRoute: () => visitor,
  path: '/forgot-password',
  component: lazyRouteComponent(() => import('@/features/auth/forgot-password'), 'ForgotPasswordPage'),
})

const resetPassword = createRoute({
  getParentRoute: () => visitor,
  path: '/reset-password',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/reset-password'), 'ResetPasswordPage'),
})

const confirmEmail = createRoute({
  getParentRoute: () => visitor,
  path: '/confirm-email',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/mailed-links'), 'ConfirmEmailPage'),
})

const undoEmailChange = createRoute({
  getParentRoute: () => visitor,
  path: '/undo-email-change',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/mailed-links'), 'UndoEmailChangePage'),
})

const keepAccount = createRoute({
  getParentRoute: () => visitor,
  path: '/keep-account',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/mailed-links'), 'KeepAccountPage'),
})

const invitation = createRoute({
  getParentRoute: () => visitor,
  path: '/invitation',
  validateSearch: withToken,
  component: lazyRouteComponent(() => import('@/features/auth/invitation'), 'InvitationPage'),
})

const member = createRoute({
  getParentRoute: () => root,
  id: 'member',
  beforeLoad: ({ location }) => {
    if (useSession.getState().status === 'signed-in') return
    throw redirect({ to: '/login', search: { next: location.pathname + location.searchStr }, replace: true })
  },
  component: lazyRouteComponent(() => import('./shell'), 'Shell'),
})

const samples = createRoute({
  getParentRoute: () => member,
  path: '/samples',
  validateSearch: parseFilters,
  component: lazyRouteComponent(() => import('@/features/library/page'), 'LibraryPage'),
})

const sample = createRoute({
  getParentRoute: () => member,
  path: '/samples/$id',
  component: lazyRouteComponent(() => import('@/features/detail/page'), 'SamplePage'),
})

const collections = createRoute({
  getParentRoute: () => member,
  path: '/collections',
  component: lazyRouteComponent(() => import('@/features/collections/list-page'), 'CollectionsPage'),
})

const collection = createRoute({
  getParentRoute: () => member,
  path: '/collections/$id',
  component: lazyRouteComponent(() => import('@/features/collections/page'), 'CollectionPage'),
})

const trash = createRoute({
  getParentRoute: () => member,
  path: '/trash',
  component: lazyRouteComponent(() => import('@/features/trash/page'), 'TrashPage'),
})

const account = createRoute({
  getParentRoute: () => member,
  path: '/account',
  beforeLoad: () => {
    throw redirect({ to: '/settings/profile', replace: true })
  },
})

const settings = createRoute({
  getParentRoute: () => member,
  path: '/settings',
  component: lazyRouteComponent(() => import('@/features/settings/layout'), 'SettingsLayout'),
})

const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/profile', replace: true })
  },
})

const profile = createRoute({
  getParentRoute: () => settings,
  path: '/profile',
  component: lazyRouteComponent(() => import('@/features/settings/profile'), 'ProfilePage'),
})

const preferences = createRoute({
  getParentRoute: () => settings,
  path: '/preferences',
  component: lazyRouteComponent(() => import('@/features/settings/preferences'), 'PreferencesPage'),
})

const security = createRoute({
  getParentRoute: () => settings,
  path: '/security',
  component: lazyRouteComponent(() => import('@/features/settings/security/page'), 'SecurityPage'),
})

const activity = createRoute({
  getParentRoute: () => settings,
  path: '/activity',
  component: lazyRouteComponent(() => import('@/features/settings/activity'), 'ActivityPage'),
})

const apiKeys = createRoute({
  getParentRoute: () => settings,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('@/features/settings/api-keys'), 'ApiKeysPage'),
})

const teams = createRoute({
  getParentRoute: () => settings,
  path: '/teams',
  component: lazyRouteComponent(() => import('@/features/organizations/list-page'), 'TeamsPage'),
})

const team = createRoute({
  getParentRoute: () => settings,
  path: '/teams/$id',
  component: lazyRouteComponent(() => import('@/features/organizations/page'), 'TeamPage'),
})

const data = createRoute({
  getParentRoute: () => settings,
  path: '/data',
  component: lazyRouteComponent(() => import('@/features/settings/data'), 'DataPage'),
})

const admin = createRoute({
  getParentRoute: () => member,
  path: '/admin',
  component: lazyRouteComponent(() => import('@/features/admin/layout'), 'AdminLayout'),
})

const adminUsers = createRoute({
  getParentRoute: () => admin,
  path: '/users',
  component: lazyRouteComponent(() => import('@/features/admin/users-page'), 'AdminUsersPage'),
})

const adminUser = createRoute({
  getParentRoute: () => admin,
  path: '/users/$id',
  component: lazyRouteComponent(() => import('@/features/admin/user-page'), 'AdminUserPage'),
})

const adminAudit = createRoute({
  getParentRoute: () => admin,
  path: '/audit',
  validateSearch: (search): { tenant?: string } => ({ tenant: text(search.tenant) }),
  component: lazyRouteComponent(() => import('@/features/admin/audit-page'), 'AdminAuditPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    visitor.addChildren([
      login,
      register,
      checkMail,
      verifyEmail,
      forgotPassword,
      resetPassword,
      confirmEmail,
      undoEmailChange,
      keepAccount,
      invitation,
    ]),
    member.addChildren([
      samples,
      sample,
      collections,
      collection,
      trash,
      account,
      settings.addChildren([
        settingsHome,
        profile,
        preferences,
        security,
        activity,
        apiKeys,
        teams,
        team,
        data,
      ]),
      admin.addChildren([adminUsers, adminUser, adminAudit]),
    ]),
  ]),
  parseSearch: readSearch,
  stringifySearch: writeSearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: ErrorPage,
  defaultNotFoundComponent: NotFoundPage,
  defaultPendingComponent: () => <Loading what="the page" />,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
