import { Link, useNavigate } from '@tanstack/react-router'
import { Disc3, Plus } from 'lucide-react'
import { useState } from 'react'
import { count, totalLength } from '@/features/samples'
import { Button } from '@/ui/button'
import { Empty } from '@/ui/empty'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { useCollections, useCreateCollection } from './api'
import { NameDialog } from './name-dialog'

export function CollectionsPage() {
  useTitle('Collections')
  const navigate = useNavigate()
  const { data, error } = useCollections()
  const [naming, setNaming] = useState(false)
  const create = useCreateCollection()
  if (error && !data) throw error
  if (!data) return <Loading what="your collections" />

  const add = (
    <Button look="primary" onClick={() => setNaming(true)}>
      <Plus size={14} /> New collection
    </Button>
  )
  return (
    <div className="flex h-full flex-col">
      <header className="flex h-12 shrink-0 items-center justify-between border-b border-line px-4">
        <h1 className="text-base font-semibold">Collections</h1>
        {data.collections.length > 0 && add}
      </header>
      {data.collections.length === 0 ? (
        <Empty icon={<Disc3 size={22} />} title="No collections yet" actions={add}>
          A collection is a folder on your SP-404MK2’s card: gather samples, put them in order, export them in
          one archive.
        </Empty>
      ) : (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-3 overflow-y-auto p-4">
          {data.collections.map((collection) => (
            <li key={collection.id}>
              <Link
                to="/collections/$id"
                params={{ id: collection.id }}
                className="flex h-24 flex-col justify-between rounded-lg border border-line bg-panel p-3.5 hover:border-[#3a342f] hover:bg-raised"
              >
                <span className="line-clamp-2 text-sm font-semibold">{collection.name}</span>
                <span className="text-xs text-dim">
                  {count(collection.sample_count, 'sample')} · {totalLength(collection.duration)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <NameDialog
        open={naming}
        onClose={() => setNaming(false)}
        title="New collection"
        action="Create"
        busy={create.isPending}
        error={create.error}
        onSubmit={(name) =>
          create.mutate(name, {
            onSuccess: ({ id }) => {
              setNaming(false)
              void navigate({ to: '/collections/$id', params: { id } })
            },
          })
        }
      />
    </div>
  )
}
