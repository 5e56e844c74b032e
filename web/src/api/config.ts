/** What the server tells the app about its surroundings before anything else happens. */
import { problemFromResponse, Unreachable } from './problem'
import type { Config } from './types'

let current: Config | null = null

export async function loadConfig(): Promise<Config> {
  const response = await fetch('/config.json').catch((cause: unknown) => {
    throw new Unreachable(cause)
  })
  if (!response.ok) throw await problemFromResponse(response)
  current = (await response.json()) as Config
  return current
}

export function config(): Config {
  if (!current) throw new Error('loadConfig() comes first')
  return current
}

/** An address of the library API, which lives on this page's origin unless the server says otherwise. */
export function libraryUrl(path: string): string {
  return new URL(path, config().library_url || window.location.origin).href
}
