import { useMutation } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import type { ReactNode } from 'react'
import { config } from '@/api/config'
import { signOut, useSession } from '@/api/session'
import { AnalysisFact } from '@/features/reanalysis'
import { bytes, count, dateTime, useFacets } from '@/features/samples'
import { Button } from '@/ui/button'
import { Progress } from '@/ui/progress'
import { useTitle } from '@/ui/title'
import { notifyFailure } from '@/ui/toast'
import { useUsage } from './api'

const PLANS: Record<string, string> = { free: 'Free', pro: 'Pro', enterprise: 'Enterprise' }

export function AccountPage() {
  useTitle('Account')
  const user = useSession((session) => session.grant?.user)
  const { data: usage } = useUsage()
  const { data: facets, error } = useFacets()
  const leave = useMutation({
    mutationFn: signOut,
    onError: (failure) =>
      notifyFailure('This device is signed out, but the server did not hear of it', failure),
  })
  if (!user) return null
  const limit = usage?.storage.limit_bytes ?? null
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-xl p-8">
        <h1 className="mb-5 text-xl font-semibold tracking-tight">Account</h1>
        <dl className="divide-y divide-line rounded-lg border border-line bg-panel">
          <Fact name="Name">
            {[user.first_name, user.last_name].filter(Boolean).join(' ') || 'Not given'}
          </Fact>
          <Fact name="E-mail">{user.email}</Fact>
          <Fact name="Here since">{dateTime(user.created_at)}</Fact>
          <Fact name="Plan">{PLANS[usage?.plan ?? user.tier] ?? usage?.plan}</Fact>
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
        <Button large className="mt-5" busy={leave.isPending} onClick={() => leave.mutate()}>
          <LogOut size={14} /> Sign out
        </Button>
        <p className="mt-8 text-xs text-dim">SP-404MK2 Sample Agent {config().version}</p>
      </div>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[8rem_1fr] px-4 py-2.5">
      <dt className="text-dim">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  )
}
