import { useEffect } from 'react'

/** The browser tab's title, from most to least specific. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Sample Agent`
  }, [title])
}
