import { LoaderCircle } from 'lucide-react'

export function Spinner({ size = 14 }: { size?: number }) {
  return <LoaderCircle aria-hidden size={size} className="animate-spin-slow shrink-0" />
}

export function Loading({ what }: { what: string }) {
  return (
    <div role="status" className="flex h-full min-h-40 items-center justify-center gap-2 text-dim">
      <Spinner size={16} /> Loading {what}…
    </div>
  )
}
