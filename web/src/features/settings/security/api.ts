import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { accounts, ok } from '@/api/client'
import { keys } from '@/api/keys'
import { createPasskey } from '@/api/passkeys'
import type { Factors, Passkey, Sessions, TotpSetup } from '@/api/types'
import { confirmed } from '@/features/step-up/store'

export function useFactors() {
  return useQuery<Factors>({
    queryKey: keys.factors,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/account/factors', { signal })),
    throwOnError: false,
  })
}

export function useSessions() {
  return useQuery<Sessions>({
    queryKey: keys.sessions,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/auth/sessions', { signal })),
  })
}

/** A change to what signs a person in; afterwards what is shown of it is asked for anew. */
function useSecurityChange<V, R>(change: (variables: V) => Promise<R>, onSuccess?: (result: R) => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (variables: V) => confirmed(() => change(variables)),
    onSuccess,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.factors })
      void client.invalidateQueries({ queryKey: keys.sessions })
      void client.invalidateQueries({ queryKey: keys.activity })
    },
  })
}

export const useBeginTotp = (onSuccess: (setup: TotpSetup) => void) =>
  useSecurityChange<void, TotpSetup>(
    async () => ok(await accounts.POST('/api/account/factors/totp')),
    onSuccess,
  )

export const useConfirmTotp = (onSuccess: (codes: string[] | null) => void) =>
  useSecurityChange<string, string[] | null>(
    async (code) =>
      ok(await accounts.POST('/api/account/factors/totp/confirm', { body: { code } })).recovery_codes ?? null,
    onSuccess,
  )

export const useRemoveTotp = () =>
  useSecurityChange<void, unknown>(async () => ok(await accounts.DELETE('/api/account/factors/totp')))

export const useNewRecoveryCodes = (onSuccess: (codes: string[]) => void) =>
  useSecurityChange<void, string[]>(
    async () => ok(await accounts.POST('/api/account/factors/recovery-codes')).recovery_codes,
    onSuccess,
  )

export const useAddPasskey = (onSuccess: (codes: string[] | null) => void) =>
  useSecurityChange<string, string[] | null>(async (name) => {
    const { challenge, options } = ok(await accounts.POST('/api/account/factors/passkeys/options'))
    const credential = await createPasskey(options)
    const added = ok(
      await accounts.POST('/api/account/factors/passkeys', { body: { challenge, credential, name } }),
    )
    return added.recovery_codes ?? null
  }, onSuccess)

export const useRenamePasskey = (onSuccess: () => void) =>
  useSecurityChange<Pick<Passkey, 'id' | 'name'>, unknown>(
    async ({ id, name }) =>
      ok(
        await accounts.PATCH('/api/account/factors/passkeys/{passkey_id}', {
          params: { path: { passkey_id: id } },
          body: { name },
        }),
      ),
    onSuccess,
  )

export const useRemovePasskey = () =>
  useSecurityChange<string, unknown>(async (id) =>
    ok(
      await accounts.DELETE('/api/account/factors/passkeys/{passkey_id}', {
        params: { path: { passkey_id: id } },
      }),
    ),
  )

export const useEndSession = () =>
  useSecurityChange<string, unknown>(async (id) =>
    ok(await accounts.DELETE('/api/auth/sessions/{session_id}', { params: { path: { session_id: id } } })),
  )

export const useEndOtherSessions = () =>
  useSecurityChange<void, unknown>(async () =>
    ok(await accounts.DELETE('/api/auth/sessions', { params: { query: { scope: 'others' } } })),
  )

export const useChangePassword = (onSuccess: () => void) =>
  useSecurityChange<{ current_password: string; new_password: string }, unknown>(
    async (body) => ok(await accounts.POST('/api/account/password', { body })),
    onSuccess,
  )
