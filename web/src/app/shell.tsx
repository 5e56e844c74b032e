import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { Disc3, Keyboard, Library, ShieldCheck, Trash2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useSession } from '@/api/session'
import { StorageMeter } from '@/features/account/storage-meter'
import { useCollections } from '@/features/collections/api'
import { CollectionLink } from '@/features/collections/sidebar'
import { followJobs } from '@/features/jobs'
import { changeSettings, usePlayer } from '@/features/player'
import { PlayerBar } from '@/features/player/bar'
import { Avatar } from '@/features/settings/avatar'
import { StepUpDialog } from '@/features/step-up'
import { DropZone, UploadPanel } from '@/features/upload'
import { ShortcutSheet, useShortcuts } from '@/shortcuts'
import { Mark } from '@/ui/mark'
import { AccountBanner } from './account-banner'
import { ConnectivityBanner } from './banner'

const NAV =
  'flex h-8 items-center gap-2.5 rounded-md px-2 lg:px-2.5 text-soft hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-wash aria-[current=page]:text-accent'

export function Shell() {
  const [help, setHelp] = useState(false)
  useShortcuts({
    help: () => setHelp(true),
    loop: () => changeSettings({ loop: !usePlayer.getState().loop }),
    sync: () => changeSettings({ sync: !usePlayer.getState().sync }),
  })
  useJobStream()
  useFocusOnArrival()
  return (
    <div className="flex h-full flex-col">
      <a
        href="#content"
        className="absolute top-1 left-1 z-60 -translate-y-20 rounded bg-accent px-3 py-1 text-accent-ink focus:translate-y-0"
      >
        Skip to content
      </a>
      <ConnectivityBanner />
      <AccountBanner />
      <div className="flex min-h-0 flex-1">
        <Sidebar onHelp={() => setHelp(true)} />
        <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <PlayerBar />
      <UploadPanel />
      <DropZone />
      <StepUpDialog />
      <ShortcutSheet open={help} onClose={() => setHelp(false)} />
    </div>
  )
}

/** What led to a page may be gone with the old one, such as a row: reading and tabbing then start at the new one. */
function useFocusOnArrival() {
  const pathname = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname })
  // biome-ignore lint/correctness/useExhaustiveDependencies: at every change of page
  useEffect(() => {
    if (document.activeElement === document.body) document.getElementById('content')?.focus()
  }, [pathname])
}

function useJobStream() {
  const signedIn = useSession((session) => session.status === 'signed-in')
  useEffect(() => {
    if (!signedIn) return
    const stop = new AbortController()
    void followJobs(stop.signal)
    return () => stop.abort()
  }, [signedIn])
}

function Sidebar({ onHelp }: { onHelp: () => void }) {
  const user = useSession((session) => session.grant?.user)
  const { data } = useCollections()
  return (
    <nav
      aria-label="Main"
      className="flex w-12 shrink-0 flex-col lg:w-48 gap-0.5 border-r border-line bg-panel p-2"
    >
      <Link to="/samples" className="mb-2 flex h-8 items-center gap-2 px-2 font-semibold tracking-tight">
        <Mark size={16} /> <Label>Sample Agent</Label>
      </Link>
      <Link to="/samples" className={NAV}>
        <Library size={15} className="shrink-0" aria-hidden /> <Label>Samples</Label>
      </Link>
      <Link to="/collections" activeOptions={{ exact: true }} className={NAV}>
        <Disc3 size={15} className="shrink-0" aria-hidden /> <Label>Collections</Label>
      </Link>
      <ul aria-label="Collections" className="invisible min-h-0 flex-1 overflow-y-auto pl-4 lg:visible">
        {data?.collections.map((collection) => (
          <li key={collection.id}>
            <CollectionLink collection={collection} />
          </li>
        ))}
      </ul>
      <div className="hidden lg:block">
        <StorageMeter />
      </div>
      <Link to="/trash" className={NAV}>
        <Trash2 size={15} className="shrink-0" aria-hidden /> <Label>Trash</Label>
      </Link>
      <button type="button" onClick={onHelp} className={`${NAV} w-full`}>
        <Keyboard size={15} className="shrink-0" aria-hidden /> <Label>Shortcuts</Label>
      </button>
      {user?.is_admin && (
        <Link to="/admin/users" className={NAV}>
          <ShieldCheck size={15} className="shrink-0" aria-hidden /> <Label>Administration</Label>
        </Link>
      )}
      <Link to="/settings/profile" className={`${NAV} h-10`}>
        {user && <Avatar user={user} />}
        <Label>{user?.first_name || user?.email || 'Account'}</Label>
      </Link>
    </nav>
  )
}

/** Words beside an icon; on a narrow screen only a screen reader still has them. */
function Label({ children }: { children: string }) {
  return <span className="sr-only truncate lg:not-sr-only">{children}</span>
}
