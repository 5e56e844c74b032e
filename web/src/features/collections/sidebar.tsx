import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Collection } from '@/api/types'
import { classes } from '@/ui/classes'
import { addToCollection } from './api'
import { carriesSamples, droppedSamples } from './dragged'

/** A collection in the sidebar; rows of the library can be dropped on it. */
export function CollectionLink({ collection }: { collection: Collection }) {
  const [over, setOver] = useState(false)
  return (
    <Link
      to="/collections/$id"
      params={{ id: collection.id }}
      onDragOver={(event) => {
        if (!carriesSamples(event.dataTransfer)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false)
        const ids = droppedSamples(event.dataTransfer)
        if (ids.length === 0) return
        event.preventDefault()
        void addToCollection(collection, ids)
      }}
      className={classes(
        'flex h-7 items-center gap-2 rounded-md px-2 text-xs text-dim hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-wash aria-[current=page]:text-accent',
        over && 'outline-2 outline-accent',
      )}
    >
      <span className="flex-1 truncate">{collection.name}</span>
      <span className="font-mono text-2xs">{collection.sample_count}</span>
    </Link>
  )
}
