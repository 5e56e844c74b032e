import { useState } from 'react'
import { fieldErrors } from '@/api/problem'
import { useSession } from '@/api/session'
import type { ApiKey, Scope } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { dateTime } from '@/features/samples'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Tag } from '@/ui/chip'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Select } from '@/ui/select'
import { ShowMore } from '@/ui/show-more'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify } from '@/ui/toast'
import { type MadeKey, useApiKeys, useCreateKey, useRevokeKey, useRotateKey } from './api'
import { Section } from './section'

const SCOPES: readonly { scope: Scope; name: string }[] = [
  { scope: 'library:read', name: 'See samples and collections' },
  { scope: 'library:write', name: 'Upload and change them' },
  { scope: 'usage:read', name: 'See plan and use' },
  { scope: 'account:read', name: 'See your profile' },
  { scope: 'organizations:read', name: 'See your teams' },
  { scope: 'organizations:write', name: 'Change your teams' },
]
const ADMIN_SCOPES: typeof SCOPES = [
  { scope: 'admin:read', name: 'See all accounts' },
  { scope: 'admin:write', name: 'Change all accounts' },
]

export function ApiKeysPage() {
  useTitle('API keys')
  const list = useApiKeys()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<MadeKey | null>(null)
  const [rotating, setRotating] = useState<ApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const revoke = useRevokeKey()
  if (!list.data) return <Loading what="your keys" />
  const apiKeys = list.data.pages.flatMap((page) => page.api_keys)

  return (
    <Section
      title="API keys"
      lead="For programs of yours. Each may do what you tick and no more; give every program a key of its own."
      aside={
        <Button look="primary" onClick={() => setMaking(true)}>
          New key
        </Button>
      }
    >
      {apiKeys.length === 0 ? (
        <p className="text-soft">No keys yet. Make one to use the API from a script.</p>
      ) : (
        <ul className="divide-y divide-line">
          {apiKeys.map((each) => (
            <KeyRow
              key={each.id}
              apiKey={each}
              onRotate={() => setRotating(each)}
              onRevoke={() => setRevoking(each)}
            />
          ))}
        </ul>
      )}
      <ShowMore of={list} />
      {making && (
        <NewKeyDialog
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false)
            setMade(key)
          }}
        />
      )}
      {rotating && (
        <RotateDialog
          apiKey={rotating}
          onClose={() => setRotating(null)}
          onMade={(key) => {
            setRotating(null)
            setMade(key)
          }}
        />
      )}
      {made && <MadeKeyDialog made={made} onClose={() => setMade(null)} />}
      <Confirm
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        title={`Revoke ${revoking?.name}?`}
        description="Whatever uses it stops working within a second. This cannot be undone."
        action="Revoke"
        onConfirm={() => {
          const id = revoking?.id
          setRevoking(null)
          if (id) revoke.mutate(id, { onError: failed('The key still works') })
        }}
      />
    </Section>
  )
}

interface KeyRowProps {
  apiKey: ApiKey
  onRotate: () => void
  onRevoke: () => void
}

function KeyRow({ apiKey, onRotate, onRevoke }: KeyRowProps) {
  return (
    <li className="flex flex-wrap items-start justify-end gap-3 py-3">
      <div className="min-w-60 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {apiKey.name} <code className="font-mono text-xs text-dim">sak_live_…{apiKey.hint}</code>
          {apiKey.rotation_due && <Tag>Older than 90 days: renew it</Tag>}
          {apiKey.replaced_by && <Tag>Replaced</Tag>}
        </p>
        <p className="mt-0.5 flex flex-wrap gap-1">
          {apiKey.scopes.map((scope) => (
            <Tag key={scope}>{scope}</Tag>
          ))}
        </p>
        <p className="mt-1 text-xs text-dim">
          Made {dateTime(apiKey.created_at)}
          {apiKey.expires_at && `, ends ${dateTime(apiKey.expires_at)}`}
          {apiKey.last_used_at
            ? `, last used ${dateTime(apiKey.last_used_at)} from ${apiKey.last_used_ip}`
            : ', never used'}
          {apiKey.requests_per_minute && `, ${apiKey.requests_per_minute} requests a minute`}
        </p>
      </div>
      {!apiKey.replaced_by && <Button onClick={onRotate}>Renew</Button>}
      <Button look="danger" onClick={onRevoke}>
        Revoke
      </Button>
    </li>
  )
}

const LIVES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'no end' },
] as const

function NewKeyDialog({ onClose, onMade }: { onClose: () => void; onMade: (made: MadeKey) => void }) {
  const admin = useSession((session) => session.grant?.user.is_admin)
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(['library:read']))
  const [days, setDays] = useState<string>('90')
  const [limit, setLimit] = useState('')
  const create = useCreateKey(onMade)
  const errors = fieldErrors(create.error)
  return (
    <Dialog open onClose={onClose} title="New API key">
      <Form
        className="mt-2"
        onSubmit={() =>
          create.mutate({
            name: name.trim(),
            scopes: [...scopes],
            expires_in_days: days ? Number(days) : null,
            requests_per_minute: limit ? Number(limit) : null,
          })
        }
        busy={create.isPending}
        error={create.error}
      >
        <Field
          label="What it is for"
          placeholder="Backup script"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={errors.name}
        />
        <fieldset>
          <legend className="mb-1 text-xs font-medium text-soft">It may</legend>
          <div className="grid gap-1 sm:grid-cols-2">
            {[...SCOPES, ...(admin ? ADMIN_SCOPES : [])].map((each) => (
              <label key={each.scope} className="flex min-h-6 items-center gap-2">
                <input
                  type="checkbox"
                  className="size-4 accent-accent"
                  checked={scopes.has(each.scope)}
                  onChange={() => setScopes(toggled(scopes, each.scope))}
                />
                {each.name}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="flex items-end gap-4">
          <div className="flex flex-col gap-1">
            <span className="text-xs font-medium text-soft">It lives</span>
            <Select label="It lives" value={days} options={LIVES} onChange={setDays} />
          </div>
          <Field
            label="Requests a minute, at most"
            type="number"
            min={1}
            placeholder="as your plan"
            value={limit}
            onChange={(event) => setLimit(event.target.value)}
            error={errors.requests_per_minute}
          />
        </div>
        <FormFailure error={create.error} beside={['name', 'requests_per_minute']} />
        <Button
          type="submit"
          look="primary"
          large
          className="self-end"
          busy={create.isPending}
          disabled={!name.trim() || scopes.size === 0}
        >
          Make the key
        </Button>
      </Form>
    </Dialog>
  )
}

function toggled<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const next = new Set(set)
  if (!next.delete(value)) next.add(value)
  return next
}

const OVERLAPS = [
  { value: '0', label: 'stops at once' },
  { value: '1', label: 'works for a day' },
  { value: '7', label: 'works for a week' },
  { value: '30', label: 'works for 30 days' },
] as const

interface RotateProps {
  apiKey: ApiKey
  onClose: () => void
  onMade: (made: MadeKey) => void
}

function RotateDialog({ apiKey, onClose, onMade }: RotateProps) {
  const [overlap, setOverlap] = useState<string>('1')
  const rotate = useRotateKey(onMade)
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Renew ${apiKey.name}`}
      description="A new key with the same rights takes its place."
    >
      <Form
        onSubmit={() => rotate.mutate({ id: apiKey.id, overlap_days: Number(overlap) })}
        busy={rotate.isPending}
        error={rotate.error}
      >
        <div className="flex items-center gap-3">
          <span className="text-soft">The old key</span>
          <Select label="The old key" value={overlap} options={OVERLAPS} onChange={setOverlap} />
        </div>
        <FormFailure error={rotate.error} />
        <Button type="submit" look="primary" large className="self-end" busy={rotate.isPending}>
          Renew
        </Button>
      </Form>
    </Dialog>
  )
}

function MadeKeyDialog({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Your key: ${made.api_key.name}`}
      description="It is shown this once. Put it where the program finds it, and nowhere in its code."
    >
      <code className="block rounded-md border border-line bg-ground p-3 font-mono text-xs break-all select-all">
        {made.key}
      </code>
      <p className="mt-3 text-xs text-dim">
        Send it with every request: <code className="font-mono">Authorization: Bearer sak_live_…</code>
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button
          large
          onClick={() => {
            void navigator.clipboard.writeText(made.key).then(() => notify('Copied'))
          }}
        >
          Copy
        </Button>
        <Button look="primary" large onClick={onClose}>
          I have kept it
        </Button>
      </div>
    </Dialog>
  )
}
