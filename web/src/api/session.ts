/**
 * Who is signed in. The access token lives in memory only; what survives a reload is the HttpOnly refresh cookie,
 * which scripts cannot read. Tabs tell each other about new tokens and about signing out.
 */
import { create } from 'zustand'
import { Problem, problemFromResponse, Unreachable } from './problem'
import { type Grant, REFRESH_LOCK, singleFlightRefresh } from './refresh'
import type { Session, User } from './types'

interface SessionGrant extends Grant {
  user: User
}

interface SessionState {
  status: 'unknown' | 'signed-in' | 'signed-out'
  grant: SessionGrant | null
  /** An administrator's own, while they look through somebody else's eyes in this tab. */
  own: SessionGrant | null
  /** True when a session ended by itself, so that the sign-in page can say why it is there. */
  expired: boolean
}

export const useSession = create<SessionState>(() => ({
  status: 'unknown',
  grant: null,
  own: null,
  expired: false,
}))

/** Says only that a refresh is worth trying, so that a first visit does not ask for what cannot exist. */
const HINT = 'sample-agent.session'

type Notice = { kind: 'granted'; grant: SessionGrant } | { kind: 'signed-out' }
const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('sample-agent-session')
tabs?.addEventListener('message', ({ data }: MessageEvent<Notice>) => {
  if (data.kind === 'signed-out') useSession.setState({ status: 'signed-out', grant: null, own: null })
  else if (useSession.getState().own) useSession.setState({ own: data.grant })
  else useSession.setState({ status: 'signed-in', grant: data.grant, expired: false })
})

function remember(grant: SessionGrant): void {
  localStorage.setItem(HINT, '1')
  useSession.setState({ status: 'signed-in', grant, own: null, expired: false })
  tabs?.postMessage({ kind: 'granted', grant } satisfies Notice)
}

function forget(expired: boolean): void {
  localStorage.removeItem(HINT)
  useSession.setState({ status: 'signed-out', grant: null, own: null, expired })
  tabs?.postMessage({ kind: 'signed-out' } satisfies Notice)
}

/** Looks through somebody's eyes, in this tab alone and until the token ends: nothing renews it. */
export function lookThrough(session: Session): void {
  const { grant, own } = useSession.getState()
  useSession.setState({ grant: grantFrom(session), own: own ?? grant })
}

/** Back to one's own eyes. */
export function lookAway(): void {
  const { own } = useSession.getState()
  if (own) useSession.setState({ grant: own, own: null })
}

/** What changed about the person themselves, for every tab. */
export function changeUser(change: Partial<User>): void {
  const { grant } = useSession.getState()
  if (grant) remember({ ...grant, user: { ...grant.user, ...change } })
}

function grantFrom(session: Session): SessionGrant {
  return { token: session.token, expiresAt: Date.now() + session.expires_in * 1000, user: session.user }
}

async function requestRefresh(): Promise<SessionGrant> {
  const response = await fetch('/api/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'sample-agent' },
    body: '{}',
  }).catch((cause: unknown) => {
    throw new Unreachable(cause)
  })
  if (!response.ok) throw await problemFromResponse(response)
  return grantFrom((await response.json()) as Session)
}

const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
const refresh = singleFlightRefresh<SessionGrant>({
  latest: () => useSession.getState().grant,
  request: requestRefresh,
  accept: remember,
  locks,
})

/**
 * Begins a session. No tab refreshes meanwhile: the answer that came last would decide whose cookie stays. So `request`
 * must renew nothing itself.
 */
export async function begin(request: () => Promise<Session>): Promise<void> {
  const session = await (locks ? (locks.request(REFRESH_LOCK, request) as Promise<Session>) : request())
  remember(grantFrom(session))
}

/** A new token in place of `stale`. A refused refresh ends the session; an unanswered one does not. */
export async function renew(stale: string | null): Promise<string> {
  lookAway()
  try {
    return (await refresh(stale)).token
  } catch (error) {
    if (error instanceof Problem && error.status === 401) forget(useSession.getState().status === 'signed-in')
    throw error
  }
}

/** A token that is good for at least the next ten seconds. */
export async function validToken(): Promise<string> {
  const { grant } = useSession.getState()
  if (grant && grant.expiresAt - Date.now() > 10_000) return grant.token
  return renew(grant?.token ?? null)
}

/** Picks the session up again after a reload. */
export async function resumeSession(): Promise<void> {
  if (useSession.getState().status !== 'unknown') return
  if (!localStorage.getItem(HINT)) return useSession.setState({ status: 'signed-out' })
  try {
    await renew(null)
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error
  }
}

/** Ends the session; throws when the server did not answer that it has, and then it goes on. */
export async function signOut(): Promise<void> {
  const { grant, own } = useSession.getState()
  const token = (own ?? grant)?.token
  const response = await fetch('/api/auth/logout', {
    method: 'POST',
    headers: { 'X-Requested-With': 'sample-agent', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
  }).catch((cause: unknown) => {
    throw new Unreachable(cause)
  })
  if (!response.ok && response.status !== 401) throw await problemFromResponse(response)
  forget(false)
}
