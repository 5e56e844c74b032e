import { useMutation, useQuery } from '@tanstack/react-query'
import { library, ok } from '@/api/client'
import { keys } from '@/api/keys'
import { Problem } from '@/api/problem'
import { queryClient } from '@/api/query'
import type { Reanalysis, ReanalysisState } from '@/api/types'
import { notifyFailure } from '@/ui/toast'

const POLL = 2000

/** Asked for again while something is under way; the events of single jobs are not told to this page. */
export function useReanalysis() {
  return useQuery<ReanalysisState>({
    queryKey: keys.reanalysis,
    queryFn: async ({ signal }) => ok(await library().GET('/api/reanalysis', { signal })),
    refetchInterval: ({ state }) => (state.data?.latest?.active ? POLL : false),
    throwOnError: false,
  })
}

function show(latest: Reanalysis): void {
  queryClient.setQueryData<ReanalysisState>(keys.reanalysis, (old) => old && { ...old, latest })
  void queryClient.invalidateQueries({ queryKey: keys.reanalysis })
}

export function useStart() {
  return useMutation({
    mutationFn: async () => ok(await library().POST('/api/reanalysis')),
    onSuccess: show,
    onError: (error) => {
      // Somebody else was first, in another tab: what is true now is shown.
      if (error instanceof Problem && error.code === 'nothing-outdated')
        return queryClient.invalidateQueries({ queryKey: keys.reanalysis })
      notifyFailure('The analysis could not be started', error)
    },
  })
}

export function useStop() {
  return useMutation({
    mutationFn: async () => ok(await library().POST('/api/reanalysis/cancel')),
    onSuccess: show,
    onError: (error) => {
      if (error instanceof Problem && error.code === 'job-ended')
        return queryClient.invalidateQueries({ queryKey: keys.reanalysis })
      notifyFailure('The analysis could not be stopped', error)
    },
  })
}
