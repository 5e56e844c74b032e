import { Disc3, Heart, Trash2, X } from 'lucide-react'
import type { Sample } from '@/api/types'
import { AddToCollectionItems } from '@/features/collections/add-menu'
import { count, deleteSamples, setFavourite } from '@/features/samples'
import { Button } from '@/ui/button'
import { Menu } from '@/ui/menu'

interface SelectionBarProps {
  samples: Sample[]
  onClear: () => void
  onNewCollection: (samples: Sample[]) => void
}

/** What can be done with everything selected. */
export function SelectionBar({ samples, onClear, onNewCollection }: SelectionBarProps) {
  return (
    <section
      aria-label="Selection"
      className="popup absolute bottom-3 left-1/2 z-20 flex -translate-x-1/2 items-center gap-1.5 py-1.5 pr-1.5 pl-3"
    >
      <span className="mr-2 font-medium whitespace-nowrap" aria-live="polite">
        {count(samples.length, 'sample')} selected
      </span>
      <Menu
        trigger={
          <Button>
            <Disc3 size={13} /> Add to collection
          </Button>
        }
        align="start"
      >
        <AddToCollectionItems samples={samples} onNew={() => onNewCollection(samples)} />
      </Menu>
      <Button onClick={() => void setFavourite(samples, true)}>
        <Heart size={13} /> Favourite
      </Button>
      <Button
        look="danger"
        onClick={() => {
          void deleteSamples(samples)
          onClear()
        }}
      >
        <Trash2 size={13} /> Trash
      </Button>
      <Button look="quiet" onClick={onClear} aria-label="Clear the selection">
        <X size={14} />
      </Button>
    </section>
  )
}
