import { X } from 'lucide-react'
import type { ReactNode } from 'react'

export function FilterChip({
  children,
  name,
  onRemove,
}: {
  children: ReactNode
  name: string
  onRemove: () => void
}) {
  return (
    <button
      type="button"
      aria-label={`Remove filter ${name}`}
      onClick={onRemove}
      className="inline-flex h-6 items-center gap-1 rounded-full border border-[#6b4220] bg-accent-wash pr-1.5 pl-2.5 text-2xs text-accent hover:border-accent"
    >
      {children}
      <X size={11} aria-hidden />
    </button>
  )
}

export function Tag({ children }: { children: ReactNode }) {
  return (
    <span className="inline-block h-[18px] rounded bg-hover px-1.5 text-2xs leading-[18px] whitespace-nowrap text-soft">
      {children}
    </span>
  )
}
