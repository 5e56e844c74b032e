import type { Kind } from '@/api/types'

export const KINDS: readonly { kind: Kind; one: string; many: string }[] = [
  { kind: 'one-shot', one: 'One-shot', many: 'One-shots' },
  { kind: 'loop', one: 'Loop', many: 'Loops' },
  { kind: 'track', one: 'Track', many: 'Tracks' },
]

export function kindColour(kind: Kind | null | undefined): string {
  return `var(--color-${kind ?? 'unknown'})`
}

export function kindName(kind: Kind | null | undefined): string {
  return KINDS.find((entry) => entry.kind === kind)?.one ?? 'Not known yet'
}

export function KindDot({ kind }: { kind: Kind | null }) {
  return (
    <span
      role="img"
      aria-label={kindName(kind)}
      title={kindName(kind)}
      className="inline-block size-2 shrink-0 rounded-full"
      style={{ background: kindColour(kind) }}
    />
  )
}
