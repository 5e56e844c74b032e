import { useMutation } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import { config } from '@/api/config'
import { fieldErrors } from '@/api/problem'
import { signOut, useSession } from '@/api/session'
import type { User } from '@/api/types'
import { useUsage } from '@/features/account/api'
import { FormFailure } from '@/features/auth/form'
import { AnalysisFact } from '@/features/reanalysis'
import { bytes, count, dateTime, useFacets } from '@/features/samples'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Progress } from '@/ui/progress'
import { useTitle } from '@/ui/title'
import { notify, notifyFailure } from '@/ui/toast'
import { useChangeAvatar, useChangeEmail, useChangeName, useRemoveAvatar } from './api'
import { Avatar } from './avatar'
import { Section } from './section'

const PLANS: Record<string, string> = { free: 'Free', pro: 'Pro', enterprise: 'Enterprise' }

export function ProfilePage() {
  useTitle('Profile')
  const user = useSession((session) => session.grant?.user)
  if (!user) return null
  return (
    <>
      <Section title="You">
        <AvatarEditor user={user} />
        <NameForm user={user} />
      </Section>
      <EmailSection user={user} />
      <UsageSection user={user} />
      <SignOutButton />
      <p className="mt-8 text-xs text-dim">SP-404MK2 Sample Agent {config().version}</p>
    </>
  )
}

function AvatarEditor({ user }: { user: User }) {
  const picker = useRef<HTMLInputElement>(null)
  const change = useChangeAvatar()
  const remove = useRemoveAvatar()
  return (
    <div className="mb-5 flex items-center gap-4">
      <Avatar user={user} large />
      <div className="flex gap-2">
        <Button busy={change.isPending} onClick={() => picker.current?.click()}>
          {user.avatar_url ? 'Change picture' : 'Add a picture'}
        </Button>
        {user.avatar_url && (
          <Button
            look="quiet"
            busy={remove.isPending}
            onClick={() =>
              remove.mutate(undefined, {
                onError: (error) => notifyFailure('The picture is still there', error),
              })
            }
          >
            Remove
          </Button>
        )}
      </div>
      <input
        ref={picker}
        type="file"
        accept="image/png,image/jpeg,image/webp,image/gif"
        aria-label="Picture"
        className="hidden"
        onChange={(event) => {
          const [image] = event.target.files ?? []
          event.target.value = ''
          if (image)
            change.mutate(image, {
              onError: (error) => notifyFailure('This picture could not be used', error),
            })
        }}
      />
    </div>
  )
}

function NameForm({ user }: { user: User }) {
  const [first, setFirst] = useState(user.first_name)
  const [last, setLast] = useState(user.last_name)
  const change = useChangeName()
  const errors = fieldErrors(change.error)
  return (
    <Form
      className="max-w-md"
      onSubmit={() =>
        change.mutate({ first_name: first, last_name: last }, { onSuccess: () => notify('Name saved') })
      }
      busy={change.isPending}
      error={change.error}
    >
      <div className="grid grid-cols-2 gap-3">
        <Field
          label="First name"
          autoComplete="given-name"
          maxLength={100}
          value={first}
          onChange={(event) => setFirst(event.target.value)}
          error={errors.first_name}
        />
        <Field
          label="Last name"
          autoComplete="family-name"
          maxLength={100}
          value={last}
          onChange={(event) => setLast(event.target.value)}
          error={errors.last_name}
        />
      </div>
      <FormFailure error={change.error} beside={['first_name', 'last_name']} />
      <Button
        type="submit"
        large
        className="self-start"
        busy={change.isPending}
        disabled={first === user.first_name && last === user.last_name}
      >
        Save
      </Button>
    </Form>
  )
}

function EmailSection({ user }: { user: User }) {
  const [changing, setChanging] = useState(false)
  return (
    <Section
      title="E-mail address"
      lead={<span className="text-ink">{user.email}</span>}
      aside={<Button onClick={() => setChanging(true)}>Change</Button>}
    >
      {changing && <EmailDialog onClose={() => setChanging(false)} />}
    </Section>
  )
}

function EmailDialog({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const change = useChangeEmail(() => {
    onClose()
    notify('Open the link we mailed to the new address')
  })
  const errors = fieldErrors(change.error)
  return (
    <Dialog
      open
      onClose={onClose}
      title="Change your e-mail address"
      description="We mail a link to the new address, and tell the old one how to undo it."
    >
      <Form onSubmit={() => change.mutate({ email, password })} busy={change.isPending} error={change.error}>
        <Field
          label="New address"
          type="email"
          autoComplete="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={errors.email}
        />
        <Field
          label="Your password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={errors.password}
        />
        <FormFailure error={change.error} beside={['email', 'password']} />
        <Button type="submit" look="primary" large className="self-end" busy={change.isPending}>
          Send the link
        </Button>
      </Form>
    </Dialog>
  )
}

function UsageSection({ user }: { user: User }) {
  const { data: usage } = useUsage()
  const { data: facets, error } = useFacets()
  const limit = usage?.storage.limit_bytes ?? null
  return (
    <Section title="Plan and use">
      <dl className="divide-y divide-line">
        <Fact name="Plan">{PLANS[usage?.plan ?? user.tier] ?? usage?.plan}</Fact>
        <Fact name="Here since">{dateTime(user.created_at)}</Fact>
        <Fact name="Samples">
          {facets ? count(facets.total, 'sample') : error ? 'Not known right now' : '…'}
        </Fact>
        <Fact name="Analysis">
          <AnalysisFact />
        </Fact>
        <Fact name="Storage">
          {usage && (
            <>
              {bytes(usage.storage.used_bytes)} {limit ? `of ${bytes(limit)}` : ''}
              {limit ? (
                <Progress label="Storage used" value={usage.storage.used_bytes / limit} className="mt-2" />
              ) : null}
            </>
          )}
        </Fact>
      </dl>
    </Section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[8rem_1fr] py-2">
      <dt className="text-dim">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  )
}

function SignOutButton() {
  const leave = useMutation({
    mutationFn: signOut,
    onError: (failure) => notifyFailure('You are still signed in', failure),
  })
  return (
    <Button large busy={leave.isPending} onClick={() => leave.mutate()}>
      <LogOut size={14} /> Sign out
    </Button>
  )
}
