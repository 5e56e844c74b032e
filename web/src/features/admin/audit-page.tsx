import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { AdminAudit } from '@/api/types'
import { dateTime } from '@/features/samples'
import { ACTIONS, actionName } from '@/features/settings/action-names'
import { Select } from '@/ui/select'
import { ShowMore } from '@/ui/show-more'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { useAudit } from './api'

const route = getRouteApi('/member/admin/audit')

const ACTORS: Record<string, string> = {
  user: 'User',
  'api-key': 'API key',
  admin: 'Administrator',
  operator: 'Command line',
  system: 'The installation',
}
const PEOPLE = new Set(['user', 'admin'])
const EVERYTHING = { value: '', label: 'Everything' }
const OPTIONS = [EVERYTHING, ...ACTIONS.map((value) => ({ value, label: actionName(value) }))]

export function AdminAuditPage() {
  useTitle('Audit log')
  const { tenant } = route.useSearch()
  const [action, setAction] = useState('')
  const list = useAudit({
    ...(tenant ? { tenant_id: tenant } : {}),
    ...(action ? { action } : {}),
  })
  const entries = list.data?.pages.flatMap((page) => page.entries)
  return (
    <>
      <div className="mb-4 flex items-center gap-3">
        <Select label="What happened" value={action} options={OPTIONS} onChange={setAction} />
        {tenant && (
          <span className="text-xs text-dim">
            Only the log of <code className="font-mono">{tenant}</code>.{' '}
            <Link to="/admin/audit" search={{}} className="text-accent underline-offset-2 hover:underline">
              Show everybody's
            </Link>
          </span>
        )}
      </div>
      {!entries ? (
        <Loading what="the audit log" />
      ) : entries.length === 0 ? (
        <p className="py-8 text-center text-soft">Nothing of this kind has happened.</p>
      ) : (
        <table className="w-full text-left">
          <thead className="text-xs text-dim">
            <tr className="border-b border-line">
              <th className="py-2 font-medium">When</th>
              <th className="font-medium">What</th>
              <th className="font-medium">Log of</th>
              <th className="font-medium">By</th>
              <th className="font-medium">From</th>
              <th className="font-medium">Details</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {entries.map((entry) => (
              <tr key={entry.id} className="align-baseline">
                <td className="py-2 pr-4 whitespace-nowrap text-dim">{dateTime(entry.at)}</td>
                <td className="pr-4">{actionName(entry.action)}</td>
                <td className="pr-4">
                  <Link
                    to="/admin/audit"
                    search={{ tenant: entry.tenant_id }}
                    className="font-mono text-xs underline-offset-2 hover:underline"
                    title={`All that stands in the log of ${entry.tenant_id}`}
                  >
                    …{entry.tenant_id.slice(-8)}
                  </Link>
                </td>
                <td className="pr-4 whitespace-nowrap">
                  <ActorCell entry={entry} />
                </td>
                <td className="pr-4 text-dim">{entry.ip_address}</td>
                <td className="max-w-80 font-mono text-2xs break-words text-dim">
                  {entry.detail && Object.keys(entry.detail).length > 0 && JSON.stringify(entry.detail)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore of={list} />
    </>
  )
}

/** Who did it; a person leads to their page. */
function ActorCell({ entry }: { entry: AdminAudit['entries'][number] }) {
  const name = ACTORS[entry.actor_kind] ?? entry.actor_kind
  if (!entry.actor_id || !PEOPLE.has(entry.actor_kind)) return name
  return (
    <Link
      to="/admin/users/$id"
      params={{ id: entry.actor_id }}
      className="text-accent underline-offset-2 hover:underline"
    >
      {name}
    </Link>
  )
}
