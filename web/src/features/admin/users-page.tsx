import { Link } from '@tanstack/react-router'
import { useDeferredValue, useState } from 'react'
import { dateTime } from '@/features/samples'
import { Tag } from '@/ui/chip'
import { Input } from '@/ui/input'
import { Select } from '@/ui/select'
import { ShowMore } from '@/ui/show-more'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { type UserStatus, useAdminUsers } from './api'

const STATUSES = [
  { value: 'any', label: 'Everybody' },
  { value: 'active', label: 'Active' },
  { value: 'suspended', label: 'Switched off' },
  { value: 'admin', label: 'Administrators' },
  { value: 'deleting', label: 'About to be deleted' },
] as const

export function AdminUsersPage() {
  useTitle('Users')
  const [q, setQ] = useState('')
  const [status, setStatus] = useState<UserStatus>('any')
  const list = useAdminUsers(useDeferredValue(q.trim()), status)
  const users = list.data?.pages.flatMap((page) => page.users)
  return (
    <>
      <div className="mb-4 flex gap-2">
        <Input
          type="search"
          aria-label="Search users"
          placeholder="Address, name or id"
          className="w-72"
          value={q}
          onChange={(event) => setQ(event.target.value)}
        />
        <Select label="Which users" value={status} options={STATUSES} onChange={setStatus} />
      </div>
      {!users ? (
        <Loading what="the users" />
      ) : users.length === 0 ? (
        <p className="py-8 text-center text-soft">Nobody fits. Search for less.</p>
      ) : (
        <table className="w-full text-left">
          <thead className="text-xs text-dim">
            <tr className="border-b border-line">
              <th className="py-2 font-medium">Address</th>
              <th className="font-medium">Name</th>
              <th className="font-medium">Plan</th>
              <th className="font-medium">Here since</th>
              <th className="font-medium">Last seen</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {users.map((user) => (
              <tr key={user.id}>
                <td className="py-2">
                  <Link
                    to="/admin/users/$id"
                    params={{ id: user.id }}
                    className="font-medium text-accent underline-offset-2 hover:underline"
                  >
                    {user.email}
                  </Link>{' '}
                  {user.is_admin && <Tag>Admin</Tag>} {!user.is_active && <Tag>Off</Tag>}{' '}
                  {user.delete_after && <Tag>Leaves {dateTime(user.delete_after)}</Tag>}
                </td>
                <td>{`${user.first_name} ${user.last_name}`.trim()}</td>
                <td>{user.tier}</td>
                <td className="text-dim">{dateTime(user.created_at)}</td>
                <td className="text-dim">{user.last_seen_at ? dateTime(user.last_seen_at) : 'never'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore of={list} />
    </>
  )
}
