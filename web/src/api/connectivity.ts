/** Whether the services answer, learned from the requests that are made anyway. */
import { create } from 'zustand'

export type Service = 'accounts' | 'library'

interface Outage {
  /** Seconds until the next try. */
  retryIn: number
  since: number
}

export const useConnectivity = create<Record<Service, Outage | null>>(() => ({
  accounts: null,
  library: null,
}))

const FIRST_WAIT = 3
const LONGEST_WAIT = 30

export function serviceFailed(service: Service, retryAfter: number | null): void {
  const before = useConnectivity.getState()[service]
  const wait = retryAfter ?? (before ? Math.min(before.retryIn * 2, LONGEST_WAIT) : FIRST_WAIT)
  // Several requests fail together; they are one outage and one wait.
  if (before && Date.now() - before.since < 1000) return
  useConnectivity.setState({ [service]: { retryIn: wait, since: Date.now() } })
}

export function serviceAnswered(service: Service): void {
  if (useConnectivity.getState()[service]) useConnectivity.setState({ [service]: null })
}
