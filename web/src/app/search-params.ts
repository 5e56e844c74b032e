/** Search parameters as plain text, so that an address reads `?q=dusty&tempo_min=80` and not as encoded JSON. */

export function readSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search))
}

export function writeSearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === '' || value === false) continue
    params.set(name, String(value))
  }
  const text = params.toString()
  return text && `?${text}`
}
