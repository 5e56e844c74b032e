import { describe, expect, it } from 'vitest'
import { type Grant, singleFlightRefresh } from './refresh'

/** Stands for the server: one refresh token at a time is good, using an old one ends everything. */
function rotatingServer() {
  let current = 0
  let open = 0
  const server = { requests: 0, mostAtOnce: 0, refuse: false }
  async function request(): Promise<Grant> {
    server.requests++
    server.mostAtOnce = Math.max(server.mostAtOnce, ++open)
    await Promise.resolve()
    open--
    if (server.refuse) throw new Error('session-expired')
    return { token: `token-${++current}`, expiresAt: 0 }
  }
  return { server, request }
}

/** A lock shared by all tabs, as the browser has it. */
function sharedLocks(): Pick<LockManager, 'request'> {
  let last: Promise<unknown> = Promise.resolve()
  return {
    request: ((_name: string, work: () => Promise<unknown>) => {
      const mine = last.then(work, work)
      last = mine
      return mine
    }) as LockManager['request'],
  }
}

function tab(
  request: () => Promise<Grant>,
  locks: Pick<LockManager, 'request'> | undefined,
  others: ((grant: Grant) => void)[],
) {
  const state: { grant: Grant | null } = { grant: null }
  others.push((grant) => {
    state.grant = grant
  })
  const refresh = singleFlightRefresh<Grant>({
    latest: () => state.grant,
    request,
    accept: (grant) => {
      for (const hear of others) hear(grant)
    },
    locks,
  })
  return { state, refresh }
}

describe('refreshing the session', () => {
  it('asks the server once for everything that fails at the same time', async () => {
    const { server, request } = rotatingServer()
    const { refresh } = tab(request, undefined, [])
    const grants = await Promise.all([refresh(null), refresh(null), refresh(null)])
    expect(server.requests).toBe(1)
    expect(new Set(grants.map(({ token }) => token))).toEqual(new Set(['token-1']))
  })

  it('asks again for a token that went stale later', async () => {
    const { server, request } = rotatingServer()
    const { refresh } = tab(request, undefined, [])
    const first = await refresh(null)
    expect((await refresh(first.token)).token).toBe('token-2')
    expect(server.requests).toBe(2)
  })

  it('takes what another tab got while this one waited for the lock', async () => {
    const { server, request } = rotatingServer()
    const locks = sharedLocks()
    const tabs: ((grant: Grant) => void)[] = []
    const one = tab(request, locks, tabs)
    const two = tab(request, locks, tabs)
    const [a, b] = await Promise.all([one.refresh(null), two.refresh(null)])
    expect(server.requests).toBe(1)
    expect(a.token).toBe(b.token)
    const [c, d] = await Promise.all([one.refresh(a.token), two.refresh(b.token)])
    expect(server.requests).toBe(2)
    expect(c.token).toBe(d.token)
    expect(server.mostAtOnce).toBe(1)
  })

  it('tells everyone who waited that it failed, and can be tried again', async () => {
    const { server, request } = rotatingServer()
    const { refresh } = tab(request, sharedLocks(), [])
    server.refuse = true
    const results = await Promise.allSettled([refresh(null), refresh(null)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(server.requests).toBe(1)
    server.refuse = false
    expect((await refresh(null)).token).toBe('token-1')
  })
})
