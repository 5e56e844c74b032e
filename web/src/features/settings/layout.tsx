import { Link, Outlet } from '@tanstack/react-router'

const PAGES = [
  { to: '/settings/profile', label: 'Profile' },
  { to: '/settings/preferences', label: 'Preferences' },
  { to: '/settings/security', label: 'Security' },
  { to: '/settings/activity', label: 'Activity' },
  { to: '/settings/api-keys', label: 'API keys' },
  { to: '/settings/teams', label: 'Teams' },
  { to: '/settings/data', label: 'Your data' },
] as const

export function SettingsLayout() {
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl px-6 py-8">
        <h1 className="mb-4 text-xl font-semibold tracking-tight">Settings</h1>
        <nav aria-label="Settings" className="mb-6 flex flex-wrap gap-1 border-b border-line pb-2">
          {PAGES.map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              className="rounded-md px-2.5 py-1 text-soft hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-wash aria-[current=page]:text-accent"
            >
              {label}
            </Link>
          ))}
        </nav>
        <Outlet />
      </div>
    </div>
  )
}
