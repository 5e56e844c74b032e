import { useQueryErrorResetBoundary } from '@tanstack/react-query'
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { CloudOff, Compass, TriangleAlert } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { explain, isTemporary, Problem } from '@/api/problem'
import { Button, buttonClasses } from '@/ui/button'
import { Empty } from '@/ui/empty'
import { useTitle } from '@/ui/title'

const RETRY_SECONDS = 5

/** What a route shows when it cannot show itself: what happened, what to quote, what to do. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const queries = useQueryErrorResetBoundary()
  const temporary = isTemporary(error)

  function retry() {
    queries.reset()
    reset()
    void router.invalidate()
  }

  const again = useRef(retry)
  again.current = retry
  useEffect(() => {
    if (!isTemporary(error)) return
    const wait = error instanceof Problem && error.retryAfter ? error.retryAfter : RETRY_SECONDS
    const timer = setTimeout(() => again.current(), wait * 1000)
    return () => clearTimeout(timer)
  }, [error])

  if (error instanceof Problem && error.status === 404) return <NotFoundPage />
  const problem = error instanceof Problem ? error : null
  return (
    <Empty
      onlyHeading
      icon={temporary ? <CloudOff size={22} /> : <TriangleAlert size={22} />}
      title={problem?.title ?? (temporary ? 'No answer from the server' : 'This page failed to load')}
      actions={
        <>
          <Button look="primary" large onClick={retry}>
            Try again
          </Button>
          {problem?.status === 401 && (
            <Link to="/login" className={buttonClasses('plain', true)}>
              Sign in
            </Link>
          )}
        </>
      }
    >
      {explain(error) !== problem?.title && <p>{explain(error)}</p>}
      {problem?.nextStep && <p className="mt-1">{problem.nextStep}</p>}
      {temporary && <p className="mt-1 text-dim">Trying again by itself every few seconds.</p>}
      {problem?.requestId && (
        <p className="mt-2 text-xs text-dim">
          Request <code className="font-mono select-all">{problem.requestId}</code>
        </p>
      )}
    </Empty>
  )
}

export function NotFoundPage() {
  useTitle('Not found')
  return (
    <Empty
      onlyHeading
      icon={<Compass size={22} />}
      title="There is nothing here"
      actions={
        <Link to="/samples" className={buttonClasses('primary', true)}>
          Go to your samples
        </Link>
      }
    >
      The address may be mistyped, or what it led to was deleted.
    </Empty>
  )
}
