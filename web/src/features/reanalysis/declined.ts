/** For which version of the engine somebody said "not now"; kept on this device. */
import { create } from 'zustand'

const STORED = 'sample-agent.analysis-not-now'

export const useDeclined = create<{ version: string | null }>(() => ({
  version: typeof localStorage === 'undefined' ? null : localStorage.getItem(STORED),
}))

export function decline(version: string): void {
  localStorage.setItem(STORED, version)
  useDeclined.setState({ version })
}

export function reconsider(): void {
  localStorage.removeItem(STORED)
  useDeclined.setState({ version: null })
}
