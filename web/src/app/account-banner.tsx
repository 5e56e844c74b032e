import { useMutation } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { Eye, Hourglass } from 'lucide-react'
import { accounts } from '@/api/client'
import { queryClient } from '@/api/query'
import { lookAway, useSession } from '@/api/session'
import { dateTime } from '@/features/samples'
import { KeepAccountButton } from '@/features/settings/keep-account'
import { Button } from '@/ui/button'
import { Strip } from './banner'

/** Says whose eyes one looks through, and that an account is about to be deleted. */
export function AccountBanner() {
  const user = useSession((session) => session.grant?.user)
  if (user?.impersonated_by) return <LookingBanner email={user.email} />
  if (user?.delete_after) return <DeletionBanner due={user.delete_after} />
  return null
}

function LookingBanner({ email }: { email: string }) {
  const router = useRouter()
  const end = useMutation({
    mutationFn: () => accounts.DELETE('/api/admin/impersonation'),
    onSettled: () => {
      lookAway()
      queryClient.clear()
      void router.navigate({ to: '/admin/users' })
    },
  })
  return (
    <Strip
      icon={<Eye size={14} />}
      aside={
        <Button className="ml-2" busy={end.isPending} onClick={() => end.mutate()}>
          Stop looking
        </Button>
      }
    >
      You see what {email} sees, and can change nothing. They will find this in their activity.
    </Strip>
  )
}

function DeletionBanner({ due }: { due: string }) {
  return (
    <Strip icon={<Hourglass size={14} />} aside={<KeepAccountButton className="ml-2" />}>
      Your account will be deleted on {dateTime(due)}.
    </Strip>
  )
}
