import { Link, useNavigate } from '@tanstack/react-router'
import { Users } from 'lucide-react'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { FormFailure } from '@/features/auth/form'
import { count, dateTime } from '@/features/samples'
import { Section } from '@/features/settings/section'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Tag } from '@/ui/chip'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify } from '@/ui/toast'
import {
  useAcceptInvitation,
  useCreateTeam,
  useDeclineInvitation,
  useMyInvitations,
  useOrganizations,
} from './api'

export const ROLES = { owner: 'Owner', admin: 'Admin', member: 'Member' } as const

export function TeamsPage() {
  useTitle('Teams')
  const { data } = useOrganizations()
  const [making, setMaking] = useState(false)
  if (!data) return <Loading what="your teams" />
  return (
    <>
      <InvitationsSection />
      <Section
        title="Teams"
        lead="People who work with the same sounds."
        aside={
          <Button look="primary" onClick={() => setMaking(true)}>
            New team
          </Button>
        }
      >
        {data.organizations.length === 0 ? (
          <p className="text-soft">You are in no team yet. Make one and invite somebody by mail.</p>
        ) : (
          <ul className="divide-y divide-line">
            {data.organizations.map((team) => (
              <li key={team.id}>
                <Link
                  to="/settings/teams/$id"
                  params={{ id: team.id }}
                  className="flex items-center gap-3 rounded-md px-1 py-2 hover:bg-raised"
                >
                  <Users size={15} className="shrink-0 text-dim" aria-hidden />
                  <span className="min-w-0 flex-1 truncate font-medium">{team.name}</span>
                  <span className="text-xs text-dim">{count(team.members, 'member')}</span>
                  <Tag>{ROLES[team.role]}</Tag>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Section>
      {making && <NewTeamDialog onClose={() => setMaking(false)} />}
    </>
  )
}

function InvitationsSection() {
  const { data } = useMyInvitations()
  const accept = useAcceptInvitation()
  const decline = useDeclineInvitation()
  if (!data?.invitations.length) return null
  return (
    <Section title="You are invited">
      <ul className="divide-y divide-line">
        {data.invitations.map((each) => (
          <li key={each.id} className="flex items-center gap-3 py-2">
            <p className="min-w-0 flex-1">
              <span className="font-medium">{each.organization}</span>{' '}
              <span className="text-xs text-dim">
                by {each.invited_by}, as {ROLES[each.role].toLowerCase()}, until {dateTime(each.expires_at)}
              </span>
            </p>
            <Button
              look="quiet"
              busy={decline.isPending}
              onClick={() => decline.mutate(each.id, { onError: failed('The invitation still stands') })}
            >
              Decline
            </Button>
            <Button
              look="primary"
              busy={accept.isPending}
              onClick={() =>
                accept.mutate(each.id, {
                  onSuccess: () => notify(`You are in ${each.organization} now`),
                  onError: failed('You could not join'),
                })
              }
            >
              Join
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function NewTeamDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const create = useCreateTeam()
  return (
    <Dialog open onClose={onClose} title="New team">
      <Form
        className="mt-2"
        onSubmit={() =>
          create.mutate(name.trim(), {
            onSuccess: (team) => navigate({ to: '/settings/teams/$id', params: { id: team.id } }),
          })
        }
        busy={create.isPending}
        error={create.error}
      >
        <Field
          label="Name"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={fieldErrors(create.error).name}
        />
        <FormFailure error={create.error} beside={['name']} />
        <Button
          type="submit"
          look="primary"
          large
          className="self-end"
          busy={create.isPending}
          disabled={!name.trim()}
        >
          Make the team
        </Button>
      </Form>
    </Dialog>
  )
}
