import type { ReactNode } from 'react'

interface SectionProps {
  title: string
  lead?: ReactNode
  /** Beside the title, such as a button that adds to the list below. */
  aside?: ReactNode
  danger?: boolean
  children?: ReactNode
}

/** One subject of a settings page. */
export function Section({ title, lead, aside, danger, children }: SectionProps) {
  return (
    <section className={`mb-5 rounded-lg border bg-panel p-5 ${danger ? 'border-[#5a2a24]' : 'border-line'}`}>
      <div className="flex items-start justify-between gap-4">
        <div>
          <h2 className="font-semibold">{title}</h2>
          {lead && <div className="mt-0.5 text-soft">{lead}</div>}
        </div>
        {aside}
      </div>
      {children && <div className="mt-4">{children}</div>}
    </section>
  )
}
