import { dateTime } from '@/features/samples'
import { ShowMore } from '@/ui/show-more'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { actionName } from './action-names'
import { useActivity } from './api'
import { Section } from './section'

export function ActivityPage() {
  useTitle('Activity')
  const list = useActivity()
  if (!list.data) return <Loading what="your activity" />
  return (
    <Section
      title="What happened to your account"
      lead="Something you do not know? Change your password and sign out the other devices."
    >
      <ol className="divide-y divide-line">
        {list.data.pages
          .flatMap(({ entries }) => entries)
          .map((entry) => (
            <li key={entry.id} className="grid grid-cols-[1fr_auto] gap-x-4 py-2">
              <p className="font-medium">{actionName(entry.action)}</p>
              <time dateTime={entry.at} className="text-xs text-dim">
                {dateTime(entry.at)}
              </time>
              <p className="col-span-2 text-xs text-dim">
                {[`by ${entry.actor}`, entry.device, entry.ip_address].filter(Boolean).join(', ')}
              </p>
            </li>
          ))}
      </ol>
      <ShowMore of={list} />
    </Section>
  )
}
