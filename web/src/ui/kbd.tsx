import type { ReactNode } from 'react'

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid h-[18px] min-w-[18px] place-items-center rounded border border-[#3a342f] bg-panel px-1 font-mono text-2xs text-soft">
      {children}
    </kbd>
  )
}
