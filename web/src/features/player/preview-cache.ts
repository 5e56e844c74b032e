/** Sounds kept as blobs so that the next one starts at once: least recently used out first, within a byte budget. */

interface Entry {
  url: string
  size: number
}

export interface PreviewCache {
  /** An object URL for the sound, fetched unless it is here or on its way. */
  get(id: string): Promise<string>
  /** Drops one sound, for instance because it does not play. */
  drop(id: string): void
}

export function createPreviewCache(load: (id: string) => Promise<Blob>, budget: number): PreviewCache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<string>>()
  let used = 0

  function drop(id: string): void {
    const entry = entries.get(id)
    if (!entry) return
    entries.delete(id)
    used -= entry.size
    URL.revokeObjectURL(entry.url)
  }

  async function fetchInto(id: string): Promise<string> {
    const blob = await load(id)
    for (const oldest of entries.keys()) {
      if (used + blob.size <= budget) break
      drop(oldest)
    }
    const url = URL.createObjectURL(blob)
    entries.set(id, { url, size: blob.size })
    used += blob.size
    return url
  }

  return {
    get(id) {
      const entry = entries.get(id)
      if (entry) {
        entries.delete(id)
        entries.set(id, entry)
        return Promise.resolve(entry.url)
      }
      const pending = loading.get(id) ?? fetchInto(id).finally(() => loading.delete(id))
      loading.set(id, pending)
      return pending
    },
    drop,
  }
}
