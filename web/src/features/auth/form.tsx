import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { explain, Problem } from '@/api/problem'
import { useTitle } from '@/ui/title'

export function AuthTitle({ children, lead }: { children: string; lead?: ReactNode }) {
  useTitle(children)
  return (
    <div className="mb-5">
      <h1 className="text-xl font-semibold tracking-tight">{children}</h1>
      {lead && <div className="mt-1 text-soft">{lead}</div>}
    </div>
  )
}

/** A refusal that belongs to no single field. */
export function FormFailure({ error, children }: { error: unknown; children?: ReactNode }) {
  if (!error || (error instanceof Problem && error.errors.length > 0)) return null
  const problem = error instanceof Problem ? error : null
  return (
    <div
      role="alert"
      className="flex gap-2 rounded-md border border-[#5a2a24] bg-danger-wash px-3 py-2 text-ink"
    >
      <CircleAlert size={15} className="mt-0.5 shrink-0 text-danger" aria-hidden />
      <div>
        <p className="font-medium">{problem?.title ?? explain(error)}</p>
        {problem?.detail && problem.detail !== problem.title && <p className="text-soft">{problem.detail}</p>}
        {children}
      </div>
    </div>
  )
}
