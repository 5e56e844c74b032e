import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { queryClient } from '@/api/query'
import { useSession } from '@/api/session'
import { Toasts } from '@/ui/toast'
import { router } from './router'

export function App() {
  useForgetOnSignOut()
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Toasts>
          <RouterProvider router={router} />
        </Toasts>
      </QueryClientProvider>
    </CSPProvider>
  )
}

/** Leaves nothing of one person's library behind for the next, and takes an ended session to the sign-in page. */
function useForgetOnSignOut() {
  useEffect(
    () =>
      useSession.subscribe(({ status, expired }, before) => {
        if (status !== 'signed-out' || before.status !== 'signed-in') return
        const { pathname, searchStr } = router.state.location
        // The page goes first: were its data taken from under it, it would ask again, and nobody is signed in.
        void router
          .navigate({ to: '/login', search: { next: expired ? pathname + searchStr : undefined } })
          .finally(() => queryClient.clear())
      }),
    [],
  )
}
