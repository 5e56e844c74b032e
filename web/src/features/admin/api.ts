import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { accounts, ok } from '@/api/client'
import { keys } from '@/api/keys'
import { lookThrough } from '@/api/session'
import type { AdminAudit, AdminUserChange, AdminUserDetail, AdminUsers } from '@/api/types'
import { confirmed } from '@/features/step-up/store'

export type UserStatus = 'any' | 'active' | 'suspended' | 'admin' | 'deleting'

export function useAdminUsers(q: string, status: UserStatus) {
  return useInfiniteQuery({
    queryKey: keys.adminUsers(q, status),
    initialPageParam: '',
    queryFn: async ({ signal, pageParam }): Promise<AdminUsers> =>
      ok(
        await accounts.GET('/api/admin/users', {
          params: {
            query: {
              limit: 50,
              ...(q ? { q } : {}),
              ...(status === 'any' ? {} : { status }),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (previous) => previous,
  })
}

export function useAdminUser(id: string) {
  return useQuery<AdminUserDetail>({
    queryKey: keys.adminUser(id),
    queryFn: async ({ signal }) =>
      ok(await accounts.GET('/api/admin/users/{user_id}', { params: { path: { user_id: id } }, signal })),
  })
}

function useAdminChange<V>(id: string, change: (variables: V) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (variables: V) => confirmed(() => change(variables)),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['admin', 'users'] })
      void client.invalidateQueries({ queryKey: keys.adminUser(id) })
    },
  })
}

const of = (user_id: string) => ({ params: { path: { user_id } } })

export const useChangeUser = (id: string) =>
  useAdminChange(id, async (body: AdminUserChange) =>
    ok(await accounts.PUT('/api/admin/users/{user_id}', { ...of(id), body })),
  )

export const useDeleteUser = (id: string) =>
  useAdminChange(id, async (_: undefined) => ok(await accounts.DELETE('/api/admin/users/{user_id}', of(id))))

export const useSignOutUser = (id: string) =>
  useAdminChange(id, async (_: undefined) =>
    ok(await accounts.POST('/api/admin/users/{user_id}/sign-out', of(id))),
  )

export const useResetFactors = (id: string) =>
  useAdminChange(id, async (_: undefined) =>
    ok(await accounts.POST('/api/admin/users/{user_id}/reset-factors', of(id))),
  )

export const useImpersonate = (id: string) =>
  useMutation({
    mutationFn: (reason: string) =>
      confirmed(async () =>
        ok(await accounts.POST('/api/admin/users/{user_id}/impersonation', { ...of(id), body: { reason } })),
      ),
    onSuccess: lookThrough,
  })

export interface AuditQuery {
  tenant_id?: string
  actor_id?: string
  action?: string
  since?: string
  until?: string
}

export function useAudit(query: AuditQuery) {
  return useInfiniteQuery({
    queryKey: keys.adminAudit(query),
    initialPageParam: '',
    queryFn: async ({ signal, pageParam }): Promise<AdminAudit> =>
      ok(
        await accounts.GET('/api/admin/audit', {
          params: {
            query: { limit: 100, ...query, ...(pageParam ? { cursor: pageParam } : {}) } as never,
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (previous) => previous,
  })
}
