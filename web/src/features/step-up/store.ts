/**
 * Dangerous acts need a recent proof of who one is. Whoever asks for one runs it through `confirmed`: when the server
 * wants the proof first, the dialog asks for it, and the act is done again.
 */
import { create } from 'zustand'
import { isProblem } from '@/api/problem'
import { notifyFailure } from '@/ui/toast'

interface Pending {
  resolve: () => void
  reject: (reason: unknown) => void
}

export const useStepUp = create<{ pending: Pending | null }>(() => ({ pending: null }))

/** The person closed the dialog: nothing was done, and nothing has to be said about it. */
export class NotConfirmed extends Error {
  override name = 'NotConfirmed'
  constructor() {
    super('You did not confirm that it is you, so nothing was changed.')
  }
}

export async function confirmed<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!isProblem(error, 'step-up-required')) throw error
    await askForProof()
    return act()
  }
}

function askForProof(): Promise<void> {
  useStepUp.getState().pending?.reject(new NotConfirmed())
  return new Promise((resolve, reject) => useStepUp.setState({ pending: { resolve, reject } }))
}

export function answer(proved: boolean): void {
  const { pending } = useStepUp.getState()
  useStepUp.setState({ pending: null })
  if (proved) pending?.resolve()
  else pending?.reject(new NotConfirmed())
}

/** For `onError`: says what did not happen, unless the person themselves thought better of it. */
export function failed(what: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof NotConfirmed)) notifyFailure(what, error)
  }
}
