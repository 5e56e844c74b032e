import { Disc3, Plus } from 'lucide-react'
import type { Sample } from '@/api/types'
import { MenuItem } from '@/ui/menu'
import { addToCollection, useCollections, useCreateCollection } from './api'
import { NameDialog } from './name-dialog'

export function AddToCollectionItems({ samples, onNew }: { samples: Sample[]; onNew: () => void }) {
  const { data } = useCollections()
  const ids = samples.map(({ id }) => id)
  return (
    <>
      <div className="px-2 pt-1 pb-0.5 text-2xs text-dim">Add to collection</div>
      {data?.collections.map((collection) => (
        <MenuItem key={collection.id} onSelect={() => void addToCollection(collection, ids)}>
          <Disc3 size={13} className="text-dim" />
          <span className="max-w-52 truncate">{collection.name}</span>
        </MenuItem>
      ))}
      <MenuItem onSelect={onNew}>
        <Plus size={13} /> New collection…
      </MenuItem>
    </>
  )
}

/** Makes a collection and puts the samples in; open while there are samples. */
export function NewCollectionDialog({ samples, onClose }: { samples: Sample[] | null; onClose: () => void }) {
  const create = useCreateCollection()
  return (
    <NameDialog
      open={samples !== null}
      onClose={onClose}
      title="New collection"
      action="Create and add"
      busy={create.isPending}
      error={create.error}
      onSubmit={(name) =>
        create.mutate(name, {
          onSuccess: (collection) => {
            void addToCollection(collection, samples?.map(({ id }) => id) ?? [])
            onClose()
          },
        })
      }
    />
  )
}
