import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { accounts, ok } from '@/api/client'
import { keys } from '@/api/keys'
import { changeUser } from '@/api/session'
import type { Activity, ApiKey, ApiKeyPage, DataExports, NewApiKey, Preferences, User } from '@/api/types'
import { confirmed } from '@/features/step-up/store'

/** A change to the person that the whole app shows. */
function useUserChange<V>(change: (variables: V) => Promise<User>) {
  return useMutation({ mutationFn: change, onSuccess: changeUser })
}

export const useChangeName = () =>
  useUserChange(async (body: { first_name: string; last_name: string }) =>
    ok(await accounts.PATCH('/api/account', { body })),
  )

export const useChangeAvatar = () =>
  useUserChange(async (image: File) =>
    ok(
      await accounts.PUT('/api/account/avatar', {
        // The schema says bytes; what is sent is the file as it is.
        body: image as unknown as string,
        bodySerializer: (body) => body as unknown as BodyInit,
        headers: { 'Content-Type': image.type || 'application/octet-stream' },
      }),
    ),
  )

export const useRemoveAvatar = () =>
  useUserChange(async (_: undefined) => ok(await accounts.DELETE('/api/account/avatar')))

export const useChangeEmail = (onSuccess: () => void) =>
  useMutation({
    mutationFn: (body: { email: string; password: string }) =>
      confirmed(async () => ok(await accounts.POST('/api/account/email', { body }))),
    onSuccess,
  })

export function usePreferences() {
  return useQuery<Preferences>({
    queryKey: keys.preferences,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/account/preferences', { signal })),
  })
}

export function useChangePreferences() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (
      change: Partial<
        Pick<Preferences, 'auto_analyze_enabled' | 'selected_model' | 'notification_email_enabled'>
      >,
    ) => {
      const { auto_analyze_enabled, selected_model, notification_email_enabled } = {
        ...ok(await accounts.GET('/api/account/preferences')),
        ...change,
      }
      return ok(
        await accounts.PUT('/api/account/preferences', {
          body: { auto_analyze_enabled, selected_model, notification_email_enabled },
        }),
      )
    },
    onSuccess: (saved) => client.setQueryData(keys.preferences, saved),
  })
}

export function useApiKeys() {
  return useInfiniteQuery({
    queryKey: keys.apiKeys,
    initialPageParam: '',
    queryFn: async ({ signal, pageParam }): Promise<ApiKeyPage> =>
      ok(
        await accounts.GET('/api/user/api-keys', {
          params: { query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
}

function useKeyChange<V, R>(change: (variables: V) => Promise<R>, onSuccess?: (result: R) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (variables: V) => confirmed(() => change(variables)),
    onSuccess,
    onSettled: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  })
}

/** The key itself, which is shown this once, and what is remembered of it. */
export interface MadeKey {
  key: string
  api_key: ApiKey
}

export const useCreateKey = (onSuccess: (made: MadeKey) => void) =>
  useKeyChange<NewApiKey, MadeKey>(
    async (body) => ok(await accounts.POST('/api/user/api-keys', { body })),
    onSuccess,
  )

export const useRotateKey = (onSuccess: (made: MadeKey) => void) =>
  useKeyChange<{ id: string; overlap_days: number }, MadeKey>(
    async ({ id, overlap_days }) =>
      ok(
        await accounts.POST('/api/user/api-keys/{api_key_id}/rotate', {
          params: { path: { api_key_id: id } },
          body: { overlap_days },
        }),
      ),
    onSuccess,
  )

export const useRevokeKey = () =>
  useKeyChange<string, unknown>(async (id) =>
    ok(await accounts.DELETE('/api/user/api-keys/{api_key_id}', { params: { path: { api_key_id: id } } })),
  )

export function useActivity() {
  return useInfiniteQuery({
    queryKey: keys.activity,
    initialPageParam: '',
    queryFn: async ({ signal, pageParam }): Promise<Activity> =>
      ok(
        await accounts.GET('/api/account/activity', {
          params: { query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
}

const RUNNING = new Set(['pending', 'processing'])

export function useDataExports() {
  return useQuery<DataExports>({
    queryKey: keys.exports,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/account/exports', { signal })),
    refetchInterval: (query) =>
      query.state.data?.exports.some(({ status }) => RUNNING.has(status)) ? 1500 : false,
  })
}

export function useAskForExport() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => confirmed(async () => ok(await accounts.POST('/api/account/exports'))),
    onSettled: () => client.invalidateQueries({ queryKey: keys.exports }),
  })
}

export async function exportLink(id: string): Promise<string> {
  const link = ok(
    await accounts.POST('/api/account/exports/{export_id}/link', { params: { path: { export_id: id } } }),
  )
  return link.url
}

export const useDeleteAccount = () =>
  useMutation({
    mutationFn: (password: string) =>
      confirmed(async () => ok(await accounts.POST('/api/account/deletion', { body: { password } }))),
    onSuccess: ({ delete_after }) => changeUser({ delete_after }),
  })

export const useKeepAccount = () =>
  useUserChange(async (_: undefined) => ok(await accounts.DELETE('/api/account/deletion')))
