import { Outlet } from '@tanstack/react-router'
import { PageTabs } from '@/ui/page-tabs'

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
        <PageTabs label="Settings" pages={PAGES} />
        <Outlet />
      </div>
    </div>
  )
}
