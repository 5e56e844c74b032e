import { Link, Outlet } from '@tanstack/react-router'
import { CircleUser, Disc3, Keyboard, Library } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useSession } from '@/api/session'
import { StorageMeter } from '@/features/account/storage-meter'
import { useCollections } from '@/features/collections/api'
import { CollectionLink } from '@/features/collections/sidebar'
import { followJobs } from '@/features/jobs'
import { changeSettings, usePlayer } from '@/features/player'
import { PlayerBar } from '@/features/player/bar'
import { UploadPanel } from '@/features/upload'
import { ShortcutSheet, useShortcuts } from '@/shortcuts'
import { Mark } from '@/ui/mark'
import { ConnectivityBanner } from './banner'

const NAV =
  'flex h-8 items-center gap-2.5 rounded-md px-2.5 text-soft hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-wash aria-[current=page]:text-accent'

export function Shell() {
  const [help, setHelp] = useState(false)
  useShortcuts({
    help: () => setHelp(true),
    loop: () => changeSettings({ loop: !usePlayer.getState().loop }),
    sync: () => changeSettings({ sync: !usePlayer.getState().sync }),
  })
  useJobStream()
  return (
    <div className="flex h-full flex-col">
      <a
        href="#content"
        className="absolute top-1 left-1 z-60 -translate-y-20 rounded bg-accent px-3 py-1 text-accent-ink focus:translate-y-0"
      >
        Skip to content
      </a>
      <ConnectivityBanner />
      <div className="flex min-h-0 flex-1">
        <Sidebar onHelp={() => setHelp(true)} />
        <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <PlayerBar />
      <UploadPanel />
      <ShortcutSheet open={help} onClose={() => setHelp(false)} />
    </div>
  )
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
    <nav aria-label="Main" className="flex w-48 shrink-0 flex-col gap-0.5 border-r border-line bg-panel p-2">
      <Link to="/samples" className="mb-2 flex h-8 items-center gap-2 px-2 font-semibold tracking-tight">
        <Mark size={16} /> Sample Agent
      </Link>
      <Link to="/samples" className={NAV}>
        <Library size={15} aria-hidden /> Samples
      </Link>
      <Link to="/collections" activeOptions={{ exact: true }} className={NAV}>
        <Disc3 size={15} aria-hidden /> Collections
      </Link>
      <ul aria-label="Collections" className="min-h-0 flex-1 overflow-y-auto pl-4">
        {data?.collections.map((collection) => (
          <li key={collection.id}>
            <CollectionLink collection={collection} />
          </li>
        ))}
      </ul>
      <StorageMeter />
      <button type="button" onClick={onHelp} className={`${NAV} w-full`}>
        <Keyboard size={15} aria-hidden /> Shortcuts
      </button>
      <Link to="/account" className={NAV}>
        <CircleUser size={15} className="shrink-0" aria-hidden />
        <span className="truncate">{user?.first_name || user?.email || 'Account'}</span>
      </Link>
    </nav>
  )
}
