import type { ReactNode } from 'react'

interface EmptyProps {
  icon: ReactNode
  title: string
  /** Where the page has no other heading. */
  onlyHeading?: boolean
  children?: ReactNode
  actions?: ReactNode
}

export function Empty({ icon, title, onlyHeading, children, actions }: EmptyProps) {
  const Heading = onlyHeading ? 'h1' : 'h2'
  return (
    <div className="flex h-full min-h-60 flex-col items-center justify-center gap-2 p-8 text-center">
      <div className="mb-1 grid size-12 place-items-center rounded-xl bg-raised text-dim">{icon}</div>
      <Heading className="text-base font-semibold">{title}</Heading>
      {children && <div className="max-w-md text-soft">{children}</div>}
      {actions && <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  )
}
