/** How a library stands with the engine's present version, and what there is to say about it. */
import type { Reanalysis, ReanalysisState } from '@/api/types'
import { count } from '@/features/samples/format'

export type Standing =
  | { is: 'current' }
  | { is: 'outdated'; title: string; action: string }
  | { is: 'running'; title: string; detail: string; value: number; left: number }

/** `declined` is the engine version whose analysis somebody did not want now. */
export function standing(state: ReanalysisState | undefined, declined: string | null): Standing {
  if (!state) return { is: 'current' }
  const { latest, outdated, engine_version } = state
  if (latest?.active) return running(latest)
  if (outdated === 0 || declined === engine_version) return { is: 'current' }
  const stopped = latest?.cancelled && latest.engine_version === engine_version
  return {
    is: 'outdated',
    title: stopped
      ? `The analysis was stopped: ${count(outdated, 'sample')} left`
      : `An improved analysis is ready for ${count(outdated, 'sample')}`,
    action: stopped ? 'Go on' : 'Analyse again',
  }
}

function running({ done, total, failed }: Reanalysis): Standing {
  return {
    is: 'running',
    title: `Analysing again: ${done.toLocaleString('en')} of ${count(total, 'sample')}`,
    detail: kept(failed),
    value: total ? done / total : 0,
    left: total - done,
  }
}

/** What to say once, when it has just ended by itself. */
export function ended({ total, failed }: Reanalysis): string {
  return [`${count(total - failed, 'sample')} analysed again`, kept(failed)].filter(Boolean).join(', ')
}

function kept(failed: number): string {
  if (!failed) return ''
  return failed === 1
    ? '1 keeps its earlier analysis'
    : `${failed.toLocaleString('en')} keep their earlier analysis`
}
