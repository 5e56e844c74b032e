import { Monitor } from 'lucide-react'
import { dateTime } from '@/features/samples'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Tag } from '@/ui/chip'
import { notify } from '@/ui/toast'
import { Section } from '../section'
import { useEndOtherSessions, useEndSession, useSessions } from './api'

const tell = failed('Nobody was signed out')

export function SessionsSection() {
  const { data } = useSessions()
  const end = useEndSession()
  const endOthers = useEndOtherSessions()
  const sessions = data?.sessions ?? []

  return (
    <Section
      title="Where you are signed in"
      lead="Sign out what you do not know, then change your password."
      aside={
        sessions.length > 1 && (
          <Button
            look="danger"
            busy={endOthers.isPending}
            onClick={() =>
              endOthers.mutate(undefined, {
                onSuccess: () => notify('Every other device is signed out'),
                onError: tell,
              })
            }
          >
            Sign out all others
          </Button>
        )
      }
    >
      <ul className="divide-y divide-line">
        {sessions.map((session) => (
          <li key={session.id} className="flex items-center gap-3 py-2">
            <Monitor size={15} className="shrink-0 text-dim" aria-hidden />
            <div className="min-w-0 flex-1">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {session.device}
                {session.current && <Tag>This device</Tag>}
                {session.support && <Tag>Support, looking only</Tag>}
              </p>
              <p className="text-xs text-dim">
                Last seen {dateTime(session.last_used_at)} from {session.ip_address}, signed in{' '}
                {dateTime(session.created_at)}
                {session.began_from &&
                  session.began_from !== session.ip_address &&
                  ` from ${session.began_from}`}
              </p>
            </div>
            {!session.current && (
              <Button
                busy={end.isPending && end.variables === session.id}
                onClick={() => end.mutate(session.id, { onError: tell })}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}
