import { useQuery } from '@tanstack/react-query'
import { accounts, ok } from '@/api/client'
import { keys } from '@/api/keys'
import type { Usage } from '@/api/types'

export function useUsage() {
  return useQuery<Usage>({
    queryKey: keys.usage,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/usage', { signal })),
    throwOnError: false,
  })
}
