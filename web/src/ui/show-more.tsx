import { Button } from './button'

interface ShowMoreProps {
  /** An infinite query. */
  of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}

/** At the end of a list of which not everything is here yet. */
export function ShowMore({ of }: ShowMoreProps) {
  if (!of.hasNextPage) return null
  return (
    <Button className="mt-3" busy={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
      Show more
    </Button>
  )
}
