import { ArrowDown, ArrowUp } from 'lucide-react'
import { classes } from '@/ui/classes'

type Column = 'name' | 'tempo' | 'key' | 'duration'
export type ColumnSort = Column | `-${Column}`

const NEXT = {
  none: (column: Column): ColumnSort => column,
  ascending: (column: Column): ColumnSort => `-${column}`,
  descending: () => undefined,
}

interface GridHeaderProps {
  sort?: string
  /** Absent where the order is the list's own. Up, down, and at the third press the order everyone starts with. */
  onSort?: (sort: ColumnSort | undefined) => void
}

export function GridHeader({ sort, onSort }: GridHeaderProps) {
  const sortable = (column: Column, name: string, place?: string) => {
    const direction = sort === column ? 'ascending' : sort === `-${column}` ? 'descending' : undefined
    return (
      <div role="columnheader" aria-sort={direction} className={place ?? 'flex'}>
        {onSort ? (
          <button
            type="button"
            onClick={() => onSort(NEXT[direction ?? 'none'](column))}
            className={classes(
              'flex h-6 items-center gap-0.5 rounded hover:text-ink',
              direction && 'text-accent',
            )}
          >
            {name}
            {direction === 'ascending' && <ArrowUp size={10} aria-hidden />}
            {direction === 'descending' && <ArrowDown size={10} aria-hidden />}
          </button>
        ) : (
          name
        )}
      </div>
    )
  }
  const hidden = (name: string) => (
    <div role="columnheader">
      <span className="sr-only">{name}</span>
    </div>
  )
  return (
    <>
      {hidden('Selected')}
      {hidden('Play')}
      {hidden('Favourite')}
      {sortable('name', 'Name')}
      <div role="columnheader" className="hidden md:block">
        Waveform
      </div>
      {sortable('tempo', 'BPM', 'flex justify-end')}
      {sortable('key', 'Key', 'hidden pl-4 md:flex')}
      {sortable('duration', 'Sec', 'flex justify-end')}
      <div role="columnheader" className="hidden pl-5 xl:block">
        Tags and vibe
      </div>
      {hidden('More')}
    </>
  )
}
