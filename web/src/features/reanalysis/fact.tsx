import { count } from '@/features/samples'
import { Button } from '@/ui/button'
import { useReanalysis, useStart } from './api'
import { standing } from './standing'

/** How the library stands, in a line; also for who said "not now" where it was offered. */
export function AnalysisFact() {
  const { data: state, error } = useReanalysis()
  const start = useStart()
  if (!state) return error ? 'Not known right now' : '…'
  const now = standing(state, null)
  if (now.is === 'current') return `Engine ${state.engine_version}, everything up to date`
  if (now.is === 'running') return now.title
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      Engine {state.engine_version}; {count(state.outdated, 'sample')} by an older one
      <Button busy={start.isPending} onClick={() => start.mutate()}>
        {now.action}
      </Button>
    </span>
  )
}
