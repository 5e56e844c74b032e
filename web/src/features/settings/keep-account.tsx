import { Button, type ButtonProps } from '@/ui/button'
import { notify, notifyFailure } from '@/ui/toast'
import { useKeepAccount } from './api'

/** Takes back the wish to have the account deleted. */
export function KeepAccountButton(props: Pick<ButtonProps, 'look' | 'className'>) {
  const keep = useKeepAccount()
  return (
    <Button
      {...props}
      busy={keep.isPending}
      onClick={() =>
        keep.mutate(undefined, {
          onSuccess: () => notify('Your account stays'),
          onError: (error) => notifyFailure('The deletion still stands', error),
        })
      }
    >
      Keep my account
    </Button>
  )
}
