import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { queryClient } from '@/api/query'
import type { AdminUserDetail } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { dateTime } from '@/features/samples'
import { Section } from '@/features/settings/section'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Select } from '@/ui/select'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify } from '@/ui/toast'
import {
  useAdminUser,
  useChangeUser,
  useDeleteUser,
  useImpersonate,
  useResetFactors,
  useSignOutUser,
} from './api'

const route = getRouteApi('/member/admin/users/$id')

const PLANS = [
  { value: 'free', label: 'Free' },
  { value: 'pro', label: 'Pro' },
  { value: 'enterprise', label: 'Enterprise' },
] as const

export function AdminUserPage() {
  const { id } = route.useParams()
  const { data: user } = useAdminUser(id)
  useTitle(user?.email ?? 'User')
  if (!user) return <Loading what="the user" />
  return (
    <>
      <Link to="/admin/users" className="mb-3 inline-block text-accent underline-offset-2 hover:underline">
        ← Users
      </Link>
      <Facts user={user} />
      <Acts user={user} />
    </>
  )
}

function Facts({ user }: { user: AdminUserDetail }) {
  const change = useChangeUser(user.id)
  const facts: [string, React.ReactNode][] = [
    ['Name', `${user.first_name} ${user.last_name}`.trim() || 'Not given'],
    [
      'Id',
      <code key="id" className="font-mono text-xs select-all">
        {user.id}
      </code>,
    ],
    [
      'State',
      user.delete_after
        ? `Will be deleted on ${dateTime(user.delete_after)}`
        : user.is_active
          ? 'Active'
          : 'Switched off',
    ],
    ['Here since', dateTime(user.created_at)],
    ['Last seen', user.last_seen_at ? dateTime(user.last_seen_at) : 'never'],
    ['Second factor', user.second_factor ? 'yes' : 'no'],
    ['Signed in on', `${user.sessions} devices`],
    ['API keys', String(user.api_keys)],
  ]
  return (
    <Section title={user.email}>
      <dl className="divide-y divide-line">
        {facts.map(([name, value]) => (
          <div key={name} className="grid grid-cols-[8rem_1fr] py-1.5">
            <dt className="text-dim">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div className="grid grid-cols-[8rem_1fr] items-center py-1.5">
          <dt className="text-dim">Plan</dt>
          <dd>
            <Select
              label="Plan"
              value={user.tier}
              options={PLANS}
              onChange={(plan) => change.mutate({ plan }, { onError: failed('The plan is as it was') })}
            />
          </dd>
        </div>
      </dl>
      <Link
        to="/admin/audit"
        search={{ tenant: user.id }}
        className="mt-3 inline-block text-accent underline-offset-2 hover:underline"
      >
        What happened to this account
      </Link>
    </Section>
  )
}

type Act = 'suspend' | 'restore' | 'promote' | 'demote' | 'sign-out' | 'reset-factors' | 'delete'

const QUESTIONS: Record<Act, { title: string; description: string; action: string }> = {
  suspend: {
    title: 'Switch the account off?',
    description: 'They are signed out within a second and cannot sign in. Nothing is deleted.',
    action: 'Switch off',
  },
  restore: { title: 'Switch the account on?', description: 'They can sign in again.', action: 'Switch on' },
  promote: {
    title: 'Make an administrator?',
    description: 'They can see and change every account once they have a second factor.',
    action: 'Make administrator',
  },
  demote: {
    title: 'Take the administration away?',
    description: 'They become an ordinary user.',
    action: 'Take away',
  },
  'sign-out': {
    title: 'Sign out everywhere?',
    description: 'Every session of theirs ends within a second.',
    action: 'Sign out',
  },
  'reset-factors': {
    title: 'Remove their second factors?',
    description: 'Make sure it is really them who asks. They are signed out and told by mail.',
    action: 'Remove factors',
  },
  delete: {
    title: 'Delete the account?',
    description: 'It is erased with everything in it in 30 days, unless they sign in and keep it.',
    action: 'Delete',
  },
}

function Acts({ user }: { user: AdminUserDetail }) {
  const [asking, setAsking] = useState<Act | null>(null)
  const [looking, setLooking] = useState(false)
  const change = useChangeUser(user.id)
  const signOut = useSignOutUser(user.id)
  const reset = useResetFactors(user.id)
  const remove = useDeleteUser(user.id)

  function run(act: Act) {
    const said = { onSuccess: () => notify('Done'), onError: failed('Nothing was changed') }
    if (act === 'suspend') change.mutate({ is_active: false }, said)
    else if (act === 'restore') change.mutate({ is_active: true }, said)
    else if (act === 'promote') change.mutate({ is_admin: true }, said)
    else if (act === 'demote') change.mutate({ is_admin: false }, said)
    else if (act === 'sign-out') signOut.mutate(undefined, said)
    else if (act === 'reset-factors') reset.mutate(undefined, said)
    else remove.mutate(undefined, said)
  }

  return (
    <Section title="Help and measures" lead="Each of these is written into the audit log.">
      <div className="flex flex-wrap gap-2">
        {!user.is_admin && <Button onClick={() => setLooking(true)}>Look through their eyes</Button>}
        <Button onClick={() => setAsking('sign-out')}>Sign out everywhere</Button>
        {user.second_factor && (
          <Button onClick={() => setAsking('reset-factors')}>Remove second factors</Button>
        )}
        <Button onClick={() => setAsking(user.is_admin ? 'demote' : 'promote')}>
          {user.is_admin ? 'Take administration away' : 'Make administrator'}
        </Button>
        {user.is_active ? (
          <Button look="danger" onClick={() => setAsking('suspend')}>
            Switch off
          </Button>
        ) : (
          <Button onClick={() => setAsking('restore')}>Switch on</Button>
        )}
        {!user.delete_after && (
          <Button look="danger" onClick={() => setAsking('delete')}>
            Delete
          </Button>
        )}
      </div>
      {looking && <LookDialog user={user} onClose={() => setLooking(false)} />}
      <Confirm
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={asking ? QUESTIONS[asking].title : ''}
        description={asking ? QUESTIONS[asking].description : ''}
        action={asking ? QUESTIONS[asking].action : ''}
        onConfirm={() => {
          const act = asking
          setAsking(null)
          if (act) run(act)
        }}
      />
    </Section>
  )
}

function LookDialog({ user, onClose }: { user: AdminUserDetail; onClose: () => void }) {
  const router = useRouter()
  const [reason, setReason] = useState('')
  const look = useImpersonate(user.id)
  return (
    <Dialog
      open
      onClose={onClose}
      title={`See what ${user.email} sees`}
      description="For fifteen minutes, and without changing anything. They can read in their activity that you did, and why."
    >
      <Form
        onSubmit={() =>
          look.mutate(reason.trim(), {
            onSuccess: () => {
              queryClient.clear()
              void router.navigate({ to: '/samples' })
            },
          })
        }
        busy={look.isPending}
        error={look.error}
      >
        <Field
          label="Reason"
          placeholder="They asked why an upload fails"
          autoFocus
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <FormFailure error={look.error} />
        <Button
          type="submit"
          look="primary"
          large
          className="self-end"
          busy={look.isPending}
          disabled={!reason.trim()}
        >
          Look
        </Button>
      </Form>
    </Dialog>
  )
}
