import type { ReactNode } from 'react'
import { classes } from '@/ui/classes'

export function Card({
  title,
  aside,
  children,
  className,
}: {
  title: string
  aside?: ReactNode
  children: ReactNode
  className?: string
}) {
  return (
    <section
      aria-label={title}
      className={classes('flex min-w-0 flex-col rounded-lg border border-line bg-panel p-4', className)}
    >
      <div className="mb-2 flex h-5 items-center justify-between">
        <h2 className="text-xs font-semibold text-dim">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
