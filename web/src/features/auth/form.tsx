import { Link } from '@tanstack/react-router'
import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { config } from '@/api/config'
import { explain, fieldErrors, Problem } from '@/api/problem'
import { buttonClasses } from '@/ui/button'
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

interface FormFailureProps {
  error: unknown
  /** The form's fields that say themselves what is wrong with them. */
  beside?: readonly string[]
  children?: ReactNode
}

/** A refusal, unless all of it is said beside fields already. */
export function FormFailure({ error, beside = [], children }: FormFailureProps) {
  const fields = Object.keys(fieldErrors(error))
  if (!error || (fields.length > 0 && fields.every((field) => beside.includes(field)))) return null
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

export function IncompleteLink({ again }: { again: '/check-mail' | '/forgot-password' | '/login' }) {
  return (
    <>
      <AuthTitle lead="Open the whole link from the mail, or have a new one sent.">
        This link is incomplete
      </AuthTitle>
      <Link to={again} className={buttonClasses('primary', true)}>
        {again === '/login' ? 'Sign in' : 'Send a new link'}
      </Link>
    </>
  )
}

/** Where mails are, on a server that sends none. */
export function OutboxHint() {
  if (!config().development) return null
  return (
    <p className="mb-5 rounded-md border border-[#5a4a1c] bg-[#2a220d] px-3 py-2 text-soft">
      This server runs in development and sends no mail. Read it in the{' '}
      <a href="/outbox" className="font-medium text-warn underline">
        outbox
      </a>
      .
    </p>
  )
}
