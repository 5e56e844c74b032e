/**
 * One refresh at a time. The refresh token rotates with every use and using an old one ends the session, so two
 * refreshes must never overlap: not within this tab (they share a promise), not between tabs (they take a lock).
 */
export const REFRESH_LOCK = 'sample-agent-refresh'

export interface Grant {
  token: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

export interface RefreshParts<G extends Grant> {
  /** The newest grant this tab knows of; another tab may have sent it while we waited for the lock. */
  latest: () => G | null
  request: () => Promise<G>
  accept: (grant: G) => void
  locks: Pick<LockManager, 'request'> | undefined
}

export function singleFlightRefresh<G extends Grant>({ latest, request, accept, locks }: RefreshParts<G>) {
  let inFlight: Promise<G> | null = null

  async function refreshUnlessRenewed(stale: string | null): Promise<G> {
    const known = latest()
    if (known && known.token !== stale) return known
    const grant = await request()
    accept(grant)
    return grant
  }

  /** `stale` is the token that no longer works, or null when there is none yet. */
  return function refresh(stale: string | null): Promise<G> {
    inFlight ??= (
      locks
        ? (locks.request(REFRESH_LOCK, () => refreshUnlessRenewed(stale)) as Promise<G>)
        : refreshUnlessRenewed(stale)
    ).finally(() => {
      inFlight = null
    })
    return inFlight
  }
}
