import { QueryClient } from '@tanstack/react-query'
import { isTemporary, Problem } from './problem'

const RETRIES = 2

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 30 * 60_000,
      retry: (failures, error) => failures < RETRIES && isTemporary(error),
      retryDelay: (attempt, error) =>
        Math.min(
          (error instanceof Problem && error.retryAfter ? error.retryAfter : 0.5 * 2 ** attempt) * 1000,
          5_000,
        ),
      // Rows already on screen stay there through an outage; with nothing to show, the route's error page takes over.
      throwOnError: (_error, query) => query.state.data === undefined,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
})
