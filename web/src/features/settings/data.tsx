import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors, isProblem } from '@/api/problem'
import { useSession } from '@/api/session'
import type { DataExport } from '@/api/types'
import { FormFailure } from '@/features/auth/form'
import { bytes, dateTime } from '@/features/samples'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Form } from '@/ui/form'
import { Progress } from '@/ui/progress'
import { useTitle } from '@/ui/title'
import { notifyFailure } from '@/ui/toast'
import { exportLink, useAskForExport, useDataExports, useDeleteAccount } from './api'
import { KeepAccountButton } from './keep-account'
import { Section } from './section'

export function DataPage() {
  useTitle('Your data')
  return (
    <>
      <ExportSection />
      <DeletionSection />
    </>
  )
}

function ExportSection() {
  const { data } = useDataExports()
  const ask = useAskForExport()
  const running = data?.exports.some(({ status }) => status === 'pending' || status === 'processing')
  return (
    <Section
      title="A copy of everything"
      lead="One archive with your original audio and all we know about you and your samples. We mail you when it is ready; it is kept for a week."
      aside={
        <Button
          busy={ask.isPending}
          disabled={running}
          onClick={() => ask.mutate(undefined, { onError: failed('The copy could not be ordered') })}
        >
          Make a copy
        </Button>
      }
    >
      {data && data.exports.length > 0 && (
        <ul className="divide-y divide-line">
          {data.exports.map((each) => (
            <ExportRow key={each.id} copy={each} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function ExportRow({ copy }: { copy: DataExport }) {
  const download = useMutation({
    mutationFn: () => exportLink(copy.id),
    onSuccess: (url) => window.location.assign(url),
    onError: (error) => notifyFailure('The copy could not be fetched', error),
  })
  return (
    <li className="flex items-center gap-3 py-2">
      <div className="min-w-0 flex-1">
        <p>{dateTime(copy.created_at)}</p>
        {copy.status === 'failed' ? (
          <p className="text-xs text-danger">{copy.error ?? 'It could not be made. Ask for another one.'}</p>
        ) : copy.status === 'completed' ? (
          <p className="text-xs text-dim">
            {copy.size_bytes != null && bytes(copy.size_bytes)}
            {copy.expires_at && `, there until ${dateTime(copy.expires_at)}`}
          </p>
        ) : (
          <Progress label="Copying" value={copy.progress / 100} className="mt-1.5" />
        )}
      </div>
      {copy.status === 'completed' && (
        <Button busy={download.isPending} onClick={() => download.mutate()}>
          Download
        </Button>
      )}
    </li>
  )
}

function DeletionSection() {
  const due = useSession((session) => session.grant?.user.delete_after)
  const [asking, setAsking] = useState(false)
  if (due) {
    return (
      <Section
        danger
        title="Your account is about to be deleted"
        lead={`Everything in it will be erased on ${dateTime(due)}. Until then you can change your mind.`}
        aside={<KeepAccountButton look="primary" />}
      />
    )
  }
  return (
    <Section
      danger
      title="Delete your account"
      lead="All samples, collections and settings are erased after 30 days, in which you can change your mind by signing in. API keys stop at once."
      aside={
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete account
        </Button>
      }
    >
      {asking && <DeletionDialog onClose={() => setAsking(false)} />}
    </Section>
  )
}

function DeletionDialog({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState('')
  const remove = useDeleteAccount()
  return (
    <Dialog
      open
      onClose={onClose}
      title="Delete your account?"
      description="Make a copy of your data first if you want to keep anything. Your other devices are signed out now; everything is erased in 30 days."
    >
      <Form
        onSubmit={() => remove.mutate(password, { onSuccess: onClose })}
        busy={remove.isPending}
        error={remove.error}
      >
        <Field
          label="Your password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={fieldErrors(remove.error).password}
        />
        <FormFailure error={remove.error} beside={['password']}>
          {isProblem(remove.error, 'organization-needs-owner') && (
            <Link to="/settings/teams" className="text-accent underline">
              Hand your teams over first
            </Link>
          )}
        </FormFailure>
        <div className="flex justify-end gap-2">
          <Button large onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="danger" large busy={remove.isPending} disabled={!password}>
            Delete my account
          </Button>
        </div>
      </Form>
    </Dialog>
  )
}
