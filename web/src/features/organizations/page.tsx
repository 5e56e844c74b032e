import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { useSession } from '@/api/session'
import type { Member, Organization } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { dateTime } from '@/features/samples'
import { Avatar } from '@/features/settings/avatar'
import { Section } from '@/features/settings/section'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Tag } from '@/ui/chip'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Select } from '@/ui/select'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify } from '@/ui/toast'
import {
  useChangeRole,
  useDeleteTeam,
  useInvitations,
  useInvite,
  useMembers,
  useOrganizations,
  useRemoveMember,
  useRenameTeam,
  useTransfer,
  useWithdrawInvitation,
} from './api'
import { ROLES } from './list-page'

const route = getRouteApi('/member/settings/teams/$id')

const GIVEN_ROLES = [
  { value: 'admin', label: 'Admin' },
  { value: 'member', label: 'Member' },
] as const
type GivenRole = (typeof GIVEN_ROLES)[number]['value']

export function TeamPage() {
  const { id } = route.useParams()
  const { data } = useOrganizations()
  const team = data?.organizations.find((each) => each.id === id)
  useTitle(team?.name ?? 'Team')
  if (!data) return <Loading what="the team" />
  if (!team)
    return (
      <Section title="You are not in this team" lead="It was deleted, or you are no member any more.">
        <Link to="/settings/teams" className="text-accent underline">
          Your teams
        </Link>
      </Section>
    )
  const leads = team.role !== 'member'
  return (
    <>
      <Link to="/settings/teams" className="mb-3 inline-block text-accent underline-offset-2 hover:underline">
        ← Teams
      </Link>
      <MembersSection team={team} />
      {leads && <InvitationsSection team={team} />}
      {leads && <NameSection team={team} />}
      {team.role === 'owner' && <DeleteSection team={team} />}
    </>
  )
}

function MembersSection({ team }: { team: Organization }) {
  const me = useSession((session) => session.grant?.user.id)
  const { data } = useMembers(team.id)
  const [removing, setRemoving] = useState<Member | null>(null)
  const [heir, setHeir] = useState<Member | null>(null)
  const navigate = useNavigate()
  const remove = useRemoveMember(team.id)
  const transfer = useTransfer(team.id)
  const changeRole = useChangeRole(team.id)
  const leaving = removing?.user_id === me
  const may = (member: Member) =>
    member.role !== 'owner' && (team.role === 'owner' || (team.role === 'admin' && member.role === 'member'))

  return (
    <Section title={team.name} lead={`You are ${ROLES[team.role].toLowerCase()} here.`}>
      <ul className="divide-y divide-line">
        {data?.members.map((member) => (
          <li key={member.user_id} className="flex flex-wrap items-center gap-3 py-2">
            <Avatar user={member} />
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">
                {`${member.first_name} ${member.last_name}`.trim() || member.email}
                {member.user_id === me && ' (you)'}
              </p>
              <p className="truncate text-xs text-dim">
                {member.email}, here since {dateTime(member.joined_at)}
              </p>
            </div>
            {team.role === 'owner' && member.role !== 'owner' ? (
              <Select
                label={`Role of ${member.email}`}
                value={member.role as GivenRole}
                options={GIVEN_ROLES}
                onChange={(role) =>
                  changeRole.mutate(
                    { member_id: member.user_id, role },
                    { onError: failed('The role is as it was') },
                  )
                }
              />
            ) : (
              <Tag>{ROLES[member.role]}</Tag>
            )}
            {team.role === 'owner' && member.role !== 'owner' && (
              <Button look="quiet" onClick={() => setHeir(member)}>
                Make owner
              </Button>
            )}
            {member.user_id === me
              ? member.role !== 'owner' && (
                  <Button look="danger" onClick={() => setRemoving(member)}>
                    Leave
                  </Button>
                )
              : may(member) && (
                  <Button look="danger" onClick={() => setRemoving(member)}>
                    Remove
                  </Button>
                )}
          </li>
        ))}
      </ul>
      <Confirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={leaving ? `Leave ${team.name}?` : `Remove ${removing?.email}?`}
        description={
          leaving
            ? 'You see nothing of it any more until somebody invites you again.'
            : 'They see nothing of the team any more, from the next moment on.'
        }
        action={leaving ? 'Leave' : 'Remove'}
        onConfirm={() => {
          const id = removing?.user_id
          setRemoving(null)
          if (!id) return
          remove.mutate(id, {
            onSuccess: () => leaving && navigate({ to: '/settings/teams' }),
            onError: failed('Nobody was removed'),
          })
        }}
      />
      <Confirm
        open={heir !== null}
        onClose={() => setHeir(null)}
        title={`Hand ${team.name} over to ${heir?.email}?`}
        description="They become its owner, and you an admin. Only they can give it back."
        action="Hand over"
        onConfirm={() => {
          const id = heir?.user_id
          setHeir(null)
          if (id)
            transfer.mutate(id, {
              onSuccess: () => notify('The team was handed over'),
              onError: failed('The team is still yours'),
            })
        }}
      />
    </Section>
  )
}

function InvitationsSection({ team }: { team: Organization }) {
  const { data } = useInvitations(team.id, true)
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<GivenRole>('member')
  const invite = useInvite(team.id)
  const withdraw = useWithdrawInvitation(team.id)
  return (
    <Section title="Invitations" lead="A link goes to this address and works for a week.">
      <Form
        onSubmit={() =>
          invite.mutate(
            { email, role },
            {
              onSuccess: () => {
                setEmail('')
                notify('Invitation sent')
              },
            },
          )
        }
        busy={invite.isPending}
        error={invite.error}
      >
        <div className="flex items-end gap-2">
          <Field
            label="E-mail"
            type="email"
            autoComplete="off"
            className="flex-1"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            error={fieldErrors(invite.error).email}
          />
          <Select label="Role" value={role} options={GIVEN_ROLES} onChange={setRole} />
          <Button type="submit" look="primary" busy={invite.isPending} disabled={!email.trim()}>
            Invite
          </Button>
        </div>
        <FormFailure error={invite.error} beside={['email']} />
      </Form>
      {data && data.invitations.length > 0 && (
        <ul className="mt-3 divide-y divide-line">
          {data.invitations.map((each) => (
            <li key={each.id} className="flex items-center gap-3 py-2">
              <p className="min-w-0 flex-1 truncate">
                {each.email}{' '}
                <span className="text-xs text-dim">
                  as {ROLES[each.role].toLowerCase()}, until {dateTime(each.expires_at)}
                </span>
              </p>
              <Button
                busy={withdraw.isPending && withdraw.variables === each.id}
                onClick={() => withdraw.mutate(each.id, { onError: failed('The invitation still holds') })}
              >
                Withdraw
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function NameSection({ team }: { team: Organization }) {
  const [name, setName] = useState(team.name)
  const rename = useRenameTeam(team.id)
  return (
    <Section title="Name">
      <Form
        className="max-w-sm"
        onSubmit={() => rename.mutate(name.trim(), { onSuccess: () => notify('Name saved') })}
        busy={rename.isPending}
        error={rename.error}
      >
        <Field
          label="Name of the team"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={fieldErrors(rename.error).name}
        />
        <FormFailure error={rename.error} beside={['name']} />
        <Button
          type="submit"
          large
          className="self-start"
          busy={rename.isPending}
          disabled={!name.trim() || name.trim() === team.name}
        >
          Rename
        </Button>
      </Form>
    </Section>
  )
}

function DeleteSection({ team }: { team: Organization }) {
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const remove = useDeleteTeam(team.id)
  return (
    <Section
      danger
      title="Delete the team"
      lead="Everybody loses what was shared in it. This cannot be undone."
      aside={
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete
        </Button>
      }
    >
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${team.name}?`}
        description="Type the name of the team to make sure."
      >
        <Form
          onSubmit={() => remove.mutate(typed, { onSuccess: () => navigate({ to: '/settings/teams' }) })}
          busy={remove.isPending}
          error={remove.error}
        >
          <Field
            label={team.name}
            autoFocus
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            error={fieldErrors(remove.error).name}
          />
          <FormFailure error={remove.error} beside={['name']} />
          <Button
            type="submit"
            look="danger"
            large
            className="self-end"
            busy={remove.isPending}
            disabled={typed !== team.name}
          >
            Delete the team
          </Button>
        </Form>
      </Dialog>
    </Section>
  )
}
