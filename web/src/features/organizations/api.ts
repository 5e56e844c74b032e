import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { accounts, ok } from '@/api/client'
import { keys } from '@/api/keys'
import type { Invitations, Members, MyInvitations, Organizations, Role } from '@/api/types'
import { confirmed } from '@/features/step-up/store'

export function useOrganizations() {
  return useQuery<Organizations>({
    queryKey: keys.organizations,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/organizations', { signal })),
  })
}

export function useMyInvitations() {
  return useQuery<MyInvitations>({
    queryKey: keys.myInvitations,
    queryFn: async ({ signal }) => ok(await accounts.GET('/api/invitations', { signal })),
    throwOnError: false,
  })
}

export function useMembers(id: string) {
  return useQuery<Members>({
    queryKey: keys.members(id),
    queryFn: async ({ signal }) =>
      ok(
        await accounts.GET('/api/organizations/{organization_id}/members', {
          params: { path: { organization_id: id } },
          signal,
        }),
      ),
  })
}

export function useInvitations(id: string, allowed: boolean) {
  return useQuery<Invitations>({
    queryKey: keys.invitations(id),
    enabled: allowed,
    queryFn: async ({ signal }) =>
      ok(
        await accounts.GET('/api/organizations/{organization_id}/invitations', {
          params: { path: { organization_id: id } },
          signal,
        }),
      ),
  })
}

/** A change to a team; afterwards everything that is shown of teams is asked for anew. */
function useTeamChange<V, R>(change: (variables: V) => Promise<R>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (variables: V) => confirmed(() => change(variables)),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.organizations })
      void client.invalidateQueries({ queryKey: keys.myInvitations })
    },
  })
}

const of = (organization_id: string) => ({ params: { path: { organization_id } } })

export const useCreateTeam = () =>
  useTeamChange(async (name: string) => ok(await accounts.POST('/api/organizations', { body: { name } })))

export const useRenameTeam = (id: string) =>
  useTeamChange(async (name: string) =>
    ok(await accounts.PATCH('/api/organizations/{organization_id}', { ...of(id), body: { name } })),
  )

export const useDeleteTeam = (id: string) =>
  useTeamChange(async (name: string) =>
    ok(await accounts.DELETE('/api/organizations/{organization_id}', { ...of(id), body: { name } })),
  )

export const useInvite = (id: string) =>
  useTeamChange(async (body: { email: string; role: 'admin' | 'member' }) =>
    ok(await accounts.POST('/api/organizations/{organization_id}/invitations', { ...of(id), body })),
  )

export const useWithdrawInvitation = (id: string) =>
  useTeamChange(async (invitation_id: string) =>
    ok(
      await accounts.DELETE('/api/organizations/{organization_id}/invitations/{invitation_id}', {
        params: { path: { organization_id: id, invitation_id } },
      }),
    ),
  )

export const useChangeRole = (id: string) =>
  useTeamChange(async ({ member_id, role }: { member_id: string; role: Exclude<Role, 'owner'> }) =>
    ok(
      await accounts.PATCH('/api/organizations/{organization_id}/members/{member_id}', {
        params: { path: { organization_id: id, member_id } },
        body: { role },
      }),
    ),
  )

export const useRemoveMember = (id: string) =>
  useTeamChange(async (member_id: string) =>
    ok(
      await accounts.DELETE('/api/organizations/{organization_id}/members/{member_id}', {
        params: { path: { organization_id: id, member_id } },
      }),
    ),
  )

export const useTransfer = (id: string) =>
  useTeamChange(async (user_id: string) =>
    ok(
      await accounts.POST('/api/organizations/{organization_id}/transfer', { ...of(id), body: { user_id } }),
    ),
  )

export const useAcceptInvitation = () =>
  useTeamChange(async (invitation_id: string) =>
    ok(
      await accounts.POST('/api/invitations/{invitation_id}/accept', { params: { path: { invitation_id } } }),
    ),
  )

export const useDeclineInvitation = () =>
  useTeamChange(async (invitation_id: string) =>
    ok(await accounts.DELETE('/api/invitations/{invitation_id}', { params: { path: { invitation_id } } })),
  )
