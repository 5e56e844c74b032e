import { CloudOff, WifiOff } from 'lucide-react'
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'
import { type Service, useConnectivity } from '@/api/connectivity'
import { queryClient } from '@/api/query'
import { Button } from '@/ui/button'

const MISSING: Record<Service, string> = {
  library: 'The library is not answering. What you see may be out of date.',
  accounts: 'Accounts are not answering. Sign-in and plan details wait; the library goes on.',
}

/** Says when a service is away, and asks again by itself until it is back. */
export function ConnectivityBanner() {
  const online = useOnline()
  const { accounts, library } = useConnectivity()
  const away = (['library', 'accounts'] as const).find((service) =>
    service === 'library' ? library : accounts,
  )
  const outage = away === 'library' ? library : accounts
  const left = useCountdown(outage?.since ?? 0, outage?.retryIn ?? 0, () => {
    if (outage) retry()
  })

  if (!online) return <Strip icon={<WifiOff size={14} />}>You are offline. Changes need a connection.</Strip>
  if (!away) return null
  return (
    <Strip
      icon={<CloudOff size={14} />}
      aside={
        <>
          <span className="text-dim">Trying again{left > 0 ? ` in ${left} s` : '…'}</span>
          <Button className="ml-1" onClick={retry}>
            Try now
          </Button>
        </>
      }
    >
      {MISSING[away]}
    </Strip>
  )
}

function retry(): void {
  void queryClient.refetchQueries({ type: 'active' })
}

/** What stands aside is not announced: a countdown would talk every second. */
export function Strip({
  icon,
  aside,
  children,
}: {
  icon: ReactNode
  aside?: ReactNode
  children: ReactNode
}) {
  return (
    <div className="flex min-h-9 items-center gap-2 border-b border-[#5a4a1c] bg-[#2a220d] px-4 py-1 text-warn">
      {icon}
      <span role="status" className="text-ink">
        {children}
      </span>
      {aside}
    </div>
  )
}

function useCountdown(since: number, duration: number, onEnd: () => void): number {
  const [now, setNow] = useState(() => Date.now())
  const left = Math.max(0, Math.ceil(duration - (now - since) / 1000))
  useEffect(() => {
    if (!since) return
    const tick = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(tick)
  }, [since])
  const due = since > 0 && left === 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per outage, when its wait is over
  useEffect(() => {
    if (due) onEnd()
  }, [due, since])
  return left
}

function useOnline(): boolean {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener('online', changed)
      window.addEventListener('offline', changed)
      return () => {
        window.removeEventListener('online', changed)
        window.removeEventListener('offline', changed)
      }
    },
    () => navigator.onLine,
  )
}
