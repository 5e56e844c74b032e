import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { Disc3, Download, MoreHorizontal, Pencil, Trash2 } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { keys } from '@/api/keys'
import { queryClient } from '@/api/query'
import type { Sample } from '@/api/types'
import { GridHeader, SampleGrid } from '@/features/list'
import { count, totalLength, useSamples } from '@/features/samples'
import { Button, IconButton } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Empty } from '@/ui/empty'
import { Menu, MenuItem } from '@/ui/menu'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify, notifyFailure } from '@/ui/toast'
import {
  addToCollection,
  inOrder,
  orderCollection,
  removeFromCollection,
  useCollection,
  useDeleteCollection,
  useRenameCollection,
} from './api'
import { ExportDialog } from './export-dialog'
import { NameDialog } from './name-dialog'

const route = getRouteApi('/member/collections/$id')

export function CollectionPage() {
  const { id } = route.useParams()
  return <CollectionView key={id} id={id} />
}

function CollectionView({ id }: { id: string }) {
  const { data: collection } = useCollection(id)
  useTitle(collection?.name ?? 'Collection')
  const { samples, total, hasNextPage, loadMore, reorder, remove } = useOrderedSamples(id)
  const [dialog, setDialog] = useState<'rename' | 'delete' | 'export' | null>(null)
  const rename = useRenameCollection(id)
  const close = () => setDialog(null)
  if (!collection) return <Loading what="the collection" />

  return (
    <div className="flex h-full flex-col">
      <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line px-4">
        <h1 className="truncate text-base font-semibold">{collection.name}</h1>
        <span className="flex-1 text-xs whitespace-nowrap text-dim">
          {count(collection.sample_count, 'sample')} · {totalLength(collection.duration)}
        </span>
        <Button look="primary" disabled={collection.sample_count === 0} onClick={() => setDialog('export')}>
          <Download size={14} /> Export for SP-404MK2
        </Button>
        <Menu
          trigger={
            <IconButton label="More for this collection">
              <MoreHorizontal size={15} />
            </IconButton>
          }
        >
          <MenuItem onSelect={() => setDialog('rename')}>
            <Pencil size={13} /> Rename
          </MenuItem>
          <MenuItem danger onSelect={() => setDialog('delete')}>
            <Trash2 size={13} /> Delete
          </MenuItem>
        </Menu>
      </header>
      {total === undefined ? (
        <Loading what="its samples" />
      ) : total === 0 ? (
        <Empty icon={<Disc3 size={22} />} title="Nothing in here yet">
          In the library, drag samples onto this collection’s name in the sidebar, or select some and choose
          “Add to collection”.
        </Empty>
      ) : (
        <SampleGrid
          samples={samples}
          total={total}
          label={`Samples in ${collection.name}`}
          memory={`collection ${id}`}
          header={<GridHeader />}
          hasMore={hasNextPage}
          onMore={loadMore}
          onRemove={(some) => void remove(some, collection.name)}
          onReorder={hasNextPage ? undefined : reorder}
        />
      )}
      <NameDialog
        open={dialog === 'rename'}
        onClose={close}
        title="Rename collection"
        action="Rename"
        initial={collection.name}
        busy={rename.isPending}
        error={rename.error}
        onSubmit={(name) => rename.mutate({ name }, { onSuccess: close })}
      />
      <ExportDialog open={dialog === 'export'} onClose={close} collection={collection} />
      <DeleteDialog open={dialog === 'delete'} onClose={close} id={id} name={collection.name} />
    </div>
  )
}

function DeleteDialog({
  open,
  onClose,
  id,
  name,
}: {
  open: boolean
  onClose: () => void
  id: string
  name: string
}) {
  const navigate = useNavigate()
  const remove = useDeleteCollection(id)
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete “${name}”?`}
      description="Its samples stay in your library. The collection itself cannot be brought back."
      action="Delete collection"
      busy={remove.isPending}
      onConfirm={() =>
        remove.mutate(undefined, {
          onSuccess: () => {
            onClose()
            void navigate({ to: '/collections' })
            notify(`${name} deleted`)
          },
        })
      }
    />
  )
}

/** A collection's samples in its own order; a new order shows at once and goes back if the server refuses. */
function useOrderedSamples(id: string) {
  const list = useSamples(inOrder(id))
  const [order, setOrder] = useState<string[] | null>(null)
  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.samples) ?? [], [list.data])
  const samples = useMemo(() => (order ? sorted(loaded, order) : loaded), [loaded, order])
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])

  // An order is an order of all of them, so all of them are loaded.
  useEffect(loadMore, [loadMore])

  /** One after the other: of two orders sent at once, the server might keep the first. */
  const saving = useRef(Promise.resolve())
  const wanted = useRef<string[] | null>(null)

  function reorder(ids: string[]) {
    wanted.current = ids
    setOrder(ids)
    saving.current = saving.current.then(() => save(ids))
  }

  async function save(ids: string[]) {
    // A newer order has come in the meantime, and says it all.
    if (wanted.current !== ids) return
    try {
      await orderCollection(id, ids)
    } catch (error) {
      notifyFailure('The new order was not saved', error)
    }
    if (wanted.current !== ids) return
    await queryClient.invalidateQueries({ queryKey: keys.sampleList(inOrder(id)) })
    if (wanted.current === ids) setOrder(null)
  }

  async function remove(some: Sample[], name: string) {
    const ids = some.map((sample) => sample.id)
    const before = samples.map((sample) => sample.id)
    try {
      await removeFromCollection(id, ids)
      notify(`${count(ids.length, 'sample')} removed from ${name}`, {
        label: 'Undo',
        run: () => void putBack(ids, before, name),
      })
    } catch (error) {
      notifyFailure('Not everything was removed', error)
    }
  }

  /** Back to their old places, if the collection is otherwise as it was. */
  async function putBack(ids: string[], before: string[], name: string) {
    await addToCollection({ id, name }, ids)
    if (!hasNextPage) reorder(before)
  }

  return {
    samples,
    total: list.data?.pages[0]?.total,
    hasNextPage,
    loadMore,
    reorder,
    remove,
  }
}

function sorted(samples: Sample[], order: readonly string[]): Sample[] {
  const place = new Map(order.map((id, index) => [id, index]))
  const last = order.length
  return [...samples].sort((a, b) => (place.get(a.id) ?? last) - (place.get(b.id) ?? last))
}
